// The Worker's entry: wiring only.

import { createApp } from "./http/app.ts";

export { CouponObject } from "./object/coupon-object.ts";
export default createApp();
