// Which claims of a token are refused, when the issuer's keys are fetched, and what they say.

import { expect, test } from "vitest";

import { JWKS_REFRESH_MS_MIN, JWKS_STALE_MS_MAX, JWKS_TTL_MS } from "../../src/domain/limits.ts";
import { claimsFault } from "../../src/http/auth/jwt.ts";
import { isFetchDue, verdictOf } from "../../src/http/auth/key-set.ts";

const NOW = 1_800_000_000;
const AUD = { IDENTITY_AUDIENCE: "sale" };
const ISS = { IDENTITY_ISSUER: "shop" };

test.for<[Record<string, unknown>, object, string | null]>([
  [{}, {}, null],
  [{ exp: NOW + 1, nbf: NOW, iat: NOW + 60, aud: "x", iss: "x", role: "operator" }, {}, null],
  [{ exp: NOW - 59 }, {}, null],
  [{ exp: NOW - 60 }, {}, "expired"],
  [{ exp: String(NOW + 60) }, {}, "expired"],
  [{ exp: null }, {}, "expired"],
  [{ nbf: NOW + 60 }, {}, null],
  [{ nbf: NOW + 61 }, {}, "notYet"],
  [{ nbf: String(NOW) }, {}, "notYet"],
  [{ aud: "sale" }, AUD, null],
  [{ aud: ["other", "sale"] }, AUD, null],
  [{}, AUD, "audience"],
  [{ aud: "sale/" }, AUD, "audience"],
  [{ aud: [] }, AUD, "audience"],
  [{ aud: [["sale"]] }, AUD, "audience"],
  [{ iss: "shop" }, ISS, null],
  [{}, ISS, "issuer"],
  [{ iss: "shop/" }, ISS, "issuer"],
  [{ iss: ["shop"] }, ISS, "issuer"],
  [{ sub: undefined }, {}, "noSubject"],
  [{ sub: null }, {}, "noSubject"],
  [{ sub: ["ada"] }, {}, "noSubject"],
  [{ sub: "" }, {}, null],
])("a token with %j under %j has the fault %s", ([claims, config, fault]) => {
  expect(
    claimsFault({ payload: { sub: "ada", ...claims } }, { IDENTITY_AUDIENCE: undefined, IDENTITY_ISSUER: undefined, ...config }, NOW),
  ).toBe(fault);
});

const NEVER = Infinity;

test.for([
  [NEVER, NEVER, null, true],
  [NEVER, 0, null, true],
  [0, 0, true, false],
  [JWKS_TTL_MS - 1, NEVER, true, false],
  [JWKS_TTL_MS, JWKS_REFRESH_MS_MIN, true, true],
  [JWKS_TTL_MS, JWKS_REFRESH_MS_MIN - 1, true, false],
  [1, JWKS_REFRESH_MS_MIN, null, true],
  [1, JWKS_REFRESH_MS_MIN - 1, null, false],
  [1, JWKS_REFRESH_MS_MIN, false, false],
] as const)("keys of %i ms, tried %i ms ago, for a token that is signed: %s, are fetched: %s", ([ageMs, sinceTryMs, isSigned, isDue]) => {
  expect(isFetchDue({ ageMs, sinceTryMs, isSigned })).toBe(isDue);
});

test.for([
  [0, true, false, "signed"],
  [JWKS_STALE_MS_MAX - 1, true, true, "signed"],
  [JWKS_STALE_MS_MAX, true, false, "unavailable"],
  [NEVER, null, true, "unavailable"],
  [0, false, false, "signature"],
  [0, null, false, "unavailable"],
  [0, null, true, "unknownKey"],
] as const)("keys of %i ms, a token that is signed: %s and absent: %s, mean %s", ([ageMs, isSigned, isAbsent, verdict]) => {
  expect(verdictOf({ ageMs, isSigned, isAbsent })).toBe(verdict);
});
