// A route that does not do what it declares does not compile. Each `@ts-expect-error` is such an error.

import { expect, test } from "vitest";
import * as z from "zod";

import { JSON_TYPE } from "../../../src/http/media-types.ts";
import { ok, route } from "../../../src/http/route.ts";
import { serve } from "../../../src/http/serve.ts";

const base = { id: "test", tag: "service", method: "GET", summary: "Test", refusals: [] } as const;
const TEXT = z.object({ text: z.string() });
const successes = { 200: { description: "Fine.", content: { [JSON_TYPE]: TEXT } } } as const;
const fine = () => ok(200, { json: { text: "fine" } });

test("a user route that names no user does not compile", () => {
  // @ts-expect-error -- nothing names the user
  const unguarded = route({ ...base, path: "/api/coupons/{name}/mine", who: "user", successes, handle: fine });
  const guarded = route({ ...base, path: "/api/coupons/{name}/of/{user_id}", who: "user", successes, handle: fine });
  expect(() => serve(unguarded)).toThrow("test names no user");
  expect(() => serve(guarded)).not.toThrow();
});

test("an operator route whose body takes unknown fields does not start", () => {
  const declared = { ...base, method: "POST", path: "/test", who: "operator", successes, handle: fine } as const;
  expect(() => serve(route({ ...declared, body: { schema: TEXT, bytesMax: 100 } }))).toThrow("test takes unknown fields");
  expect(() => serve(route({ ...declared, body: { schema: z.strictObject({ text: z.string() }), bytesMax: 100 } }))).not.toThrow();
});

test("a handler that answers what its route omits does not compile", () => {
  const declared = { ...base, path: "/test", who: "everybody", successes } as const;
  const routes = [
    // @ts-expect-error -- a status that is not declared
    route({ ...declared, handle: () => ok(201, { json: { text: "fine" } }) }),
    // @ts-expect-error -- a body that does not fit its schema
    route({ ...declared, handle: () => ok(200, { json: { text: 1 } }) }),
    // @ts-expect-error -- a media type that is not declared
    route({ ...declared, handle: () => ok(200, { contentType: "text/csv", text: "" }) }),
    // @ts-expect-error -- a refusal that is not declared
    route({ ...declared, handle: () => ({ ok: false, code: "position_mismatch" }) }),
    route({ ...declared, refusals: ["position_mismatch"], handle: () => ({ ok: false, code: "position_mismatch" }) }),
  ];
  expect(routes).toHaveLength(5);
});
