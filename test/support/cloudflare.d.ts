// What the workers pool gives to tests: the bindings of wrangler.toml and .dev.vars.

declare namespace Cloudflare {
  interface Env {
    COUPONS: DurableObjectNamespace<import("../../src/object/coupon-object.ts").CouponObject>;
    COURIERS: DurableObjectNamespace<import("../../src/courier/courier-object.ts").CourierObject>;
    DB: D1Database;
    /** A bucket that only tests have. No Worker of them takes backups by itself. */
    BUCKET: R2Bucket;
    LANE_OBJECTS: DurableObjectNamespace<import("../../src/lane/lane-object.ts").LaneObject>;
    METER: DurableObjectNamespace<import("../../src/object/meter-object.ts").MeterObject>;
    readonly ADMIN_AUTH?: string;
  }
  interface GlobalProps {
    mainModule: typeof import("../../src/index.ts");
  }
}
