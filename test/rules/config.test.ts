// Which values of variables are allowed, and what a wrong one is answered with.

import { expect, test } from "vitest";

import { parseConfig } from "../../src/edge/config.ts";

const LIMIT = "must be off or a whole number from 1";
const ORIGINS = "must be origins without a final slash, such as https://shop.example, with commas between them";
const HINTS = "must be one of wnam, enam, sam, weur, eeur, apac, oc, afr, me";

test.for([
  ["RATE_LIMIT", LIMIT, ["OFF", "false", "-1", "0", "1.5", "1e3", "NaN", "100/10s"]],
  ["ADDRESS_LIMIT", LIMIT, ["none", "1,000"]],
  ["ADMIN_AUTH", "must be on or off", ["Off", "false", "0", "no", "disabled"]],
  ["IDENTITY", "must be on or off", ["OFF", "none", "true"]],
  ["REQUEST_LOG", "must be on or off", ["0"]],
  ["SOLD_OUT_CACHE", "must be on or off", ["no"]],
  ["ADMIN_TOKEN", "must have no spaces", ["two words", "a\nb"]],
  ["SERVICE_TOKEN", "must have no spaces", ["two words"]],
  [
    "IDENTITY_JWKS_URL",
    "must be an https URL",
    ["shop.example/jwks.json", "http://shop.example/jwks", "https://", "-----BEGIN PUBLIC KEY-----"],
  ],
  [
    "ALLOWED_ORIGINS",
    ORIGINS,
    ["*", "shop.example", "https://shop.example/", "https://SHOP.example", "https://a.example;https://b.example"],
  ],
  ["OPERATOR_ORIGINS", ORIGINS, ["https://*.shop.example", "capacitor://", "app://*", "null"]],
  ["STREAM_LOOKS_MAX", "must be a whole number from 1 to 999999", ["0", "off", "1000000"]],
  ["LANES", "must be auto, off or a whole number from 1 to 64", ["on", "0", "65", "4.5", "-1", "640"]],
  ["LOCATION_HINT", HINTS, ["europe", "WEUR"]],
  ["WEBHOOK_TARGETS", "must be public or any", ["off", "Any"]],
] as const)("%s with a wrong value has the fault %j", ([name, fault, values]) => {
  for (const value of values) {
    const { config, faults } = parseConfig({ [name]: value });
    expect(faults).toEqual({ [name]: fault });
    expect(config[name]).toEqual(parseConfig({}).config[name]);
  }
});

test("LANES is a number, 0 for off, or auto", () => {
  const values = ["off", "1", "9", "10", "59", "64", "auto"];
  expect(values.map((LANES) => parseConfig({ LANES }).config.LANES)).toEqual([0, 1, 9, 10, 59, 64, "auto"]);
});

test("every wrong variable has its fault, and the others keep their values", () => {
  const { config, faults } = parseConfig({ RATE_LIMIT: "OFF", LOCATION_HINT: "mars", ADMIN_TOKEN: "secret" });
  expect(faults).toEqual({ RATE_LIMIT: LIMIT, LOCATION_HINT: HINTS });
  expect(config).toMatchObject({ RATE_LIMIT: 100, LOCATION_HINT: undefined, ADMIN_TOKEN: "secret" });
});

test("without variables, a deployed Worker is closed and limited", () => {
  expect(parseConfig({})).toEqual({
    faults: {},
    config: {
      ADMIN_AUTH: "on",
      IDENTITY: "on",
      RATE_LIMIT: 100,
      ADDRESS_LIMIT: 1000,
      ALLOWED_ORIGINS: new Set(),
      OPERATOR_ORIGINS: new Set(),
      STREAM_LOOKS_MAX: 40,
      WEBHOOK_TARGETS: "public",
      LANES: "auto",
      SOLD_OUT_CACHE: "on",
      REQUEST_LOG: "on",
    },
  });
});

test("values are trimmed, blank ones are missing, and numbers of a TOML file are read", () => {
  const given = { ADMIN_TOKEN: " secret\r\n", IDENTITY_SECRET: " \n", RATE_LIMIT: 20 as unknown as string, IDENTITY: " off" };
  expect(parseConfig(given).config).toMatchObject({ ADMIN_TOKEN: "secret", IDENTITY_SECRET: undefined, RATE_LIMIT: 20, IDENTITY: "off" });
});

test.for([
  "IDENTITY_SECRET",
  "IDENTITY_AUDIENCE",
  "IDENTITY_ISSUER",
  "TURNSTILE_SECRET",
  "ADMIN_TOKEN",
  "SERVICE_TOKEN",
  "ALLOWED_ORIGINS",
])("%s as a binding that is no text is refused, because its text would be one that everybody knows", (name) => {
  for (const value of [{}, { get: () => "secret" }, [], ["https://a.example"], () => "secret"]) {
    const { config, faults } = parseConfig({ [name]: value });
    expect(faults).toEqual({ [name]: "must be text" });
    expect(config).toEqual(parseConfig({}).config);
  }
});

test("origins are separated by commas, spaces or lines", () => {
  const { ALLOWED_ORIGINS } = parseConfig({
    ALLOWED_ORIGINS: "https://a.example, https://b.example:8443\nhttp://localhost:3000 capacitor://localhost",
  }).config;
  expect(Array.from(ALLOWED_ORIGINS)).toEqual([
    "https://a.example",
    "https://b.example:8443",
    "http://localhost:3000",
    "capacitor://localhost",
  ]);
});
