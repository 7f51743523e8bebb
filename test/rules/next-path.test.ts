// Where a login may lead: to pages of the console alone.

import { expect, test } from "vitest";

import { nextPath } from "../../src/web/operator/next-path.ts";

test.for([
  "/operator",
  "/operator/new",
  "/operator?q=shoe#top",
  "/operator/sales/%2F%2Fevil.example%20%3Cscript%3E",
  "/operator/login-help",
])("a login leads to %s", (next) => expect(nextPath(next)).toBe(next));

test.for([
  "",
  "/",
  "/operators",
  "/s/SHOE",
  "operator",
  "//evil.example",
  "//operator",
  "///operator",
  "/operator//evil.example",
  "/operator/..//evil.example",
  "/\\evil.example",
  "/operator\\..\\..\\evil.example",
  "https://evil.example/operator",
  "javascript:alert(1)",
  "\t/operator",
  "/operator/\n/evil.example",
  "/operator/a b",
  "/operator/\u00fc",
  "/operator/login",
  "/operator/login?next=/operator",
  "/operator/logout",
])("a login does not lead to %j", (next) => expect(nextPath(next)).toBe("/operator"));
