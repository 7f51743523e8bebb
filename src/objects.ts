// The classes of all objects. The entry of a Worker exports them.

export { CourierObject } from "./courier/courier-object.ts";
export { CouponObject } from "./object/coupon-object.ts";
export { LaneObject } from "./lane/lane-object.ts";
export { MeterObject } from "./object/meter-object.ts";
