// The Worker's entry: wiring only.

import { createApp } from "./http/app.ts";

export { CourierObject } from "./courier/courier-object.ts";
export { CouponObject } from "./object/coupon-object.ts";
export { MeterObject } from "./object/meter-object.ts";
export default createApp();
