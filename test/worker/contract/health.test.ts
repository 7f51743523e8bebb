// Whether the Worker is up.

import { expect, test, vi } from "vitest";

import { send } from "../../support/api.ts";

test("a Worker that is up says that it is healthy, and what time it has", async () => {
  vi.setSystemTime(new Date("2030-01-01T00:00:00.007Z"));
  const { status, body, headers } = await send("GET", "/health");
  vi.useRealTimers();

  expect(status).toBe(200);
  expect(body).toEqual({ status: "healthy", server_time: "2030-01-01T00:00:00.007Z" });
  expect(headers.get("Coupon-Seq")).toBeNull();
});
