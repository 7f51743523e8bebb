// The Worker's entry: wiring only.

import { createApp } from "./http/app.ts";

export { CouponObject } from "./actor/coupon-object.ts";
export default createApp();
