// Two rules of webhooks: when a failed one is sent again, and to which hosts one may go.

import { expect, test } from "vitest";

import { isExhausted, nextAttemptMs } from "../../src/domain/backoff.ts";
import { targetFault } from "../../src/domain/webhook-target.ts";

test.for([
  [0, 5],
  [1, 5],
  [2, 30],
  [3, 120],
  [4, 600],
  [5, 1_800],
  [6, 3_600],
  [7, 7_200],
  [8, 14_400],
  [9, 28_800],
  [10, 28_800],
  [1_000, 28_800],
] as const)("failed attempt %i is followed by a pause of %i s, or up to a fifth more", ([attemptCount, seconds]) => {
  expect([0, 0.5, 1].map((random) => nextAttemptMs(attemptCount, random))).toEqual([seconds * 1000, seconds * 1100, seconds * 1200]);
});

test("an endpoint is given up after three days of failures, and not a millisecond earlier", () => {
  expect([259_199_999, 259_200_000].map((ms) => isExhausted(1_000, 1_000 + ms))).toEqual([false, true]);
});

const NOT_PUBLIC = "must have a public host";
const NOT_HTTPS = "must begin with https://";
const HAS_USER = "must not have a user name or a password";

test.for([
  ["https://example.com/hook?a=1", null],
  ["https://example.com:8443/", null],
  ["https://EXAMPLE.com./", null],
  ["https://localhost.example.com/", null],
  ["https://8.8.8.8/", null],
  ["https://100.63.255.255/", null],
  ["https://172.32.0.1/", null],
  ["https://223.255.255.255/", null],
  ["https://[2606:4700::1111]/", null],
  ["https://[2001:4860:4860::8888]/", null],
  ["", "is not a URL"],
  ["example.com/hook", "is not a URL"],
  ["http://example.com/", NOT_HTTPS],
  ["ftp://example.com/", NOT_HTTPS],
  ["https://ann@example.com/", HAS_USER],
  ["https://:secret@example.com/", HAS_USER],
  ...[
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "printer.local",
    "metadata.google.internal",
    "router.home.arpa",
    "intranet",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "localhost..",
    "2130706433",
    "0x7f.0.0.1",
    "017700000001",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.2.1",
    "192.168.1.1",
    "198.19.255.255",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]",
    "[100::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::1]",
    "[3fff::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
  ].map((host) => [`https://${host}/`, NOT_PUBLIC] as const),
] as const)("the target %s in production has the fault %s", ([url, fault]) => {
  expect(targetFault(url, "public")).toBe(fault);
});

test.for([
  ["http://localhost:9000/", null],
  ["https://127.0.0.1/", null],
  ["ftp://127.0.0.1/", NOT_HTTPS],
  ["http://ann@localhost/", HAS_USER],
] as const)("the target %s in local development has the fault %s", ([url, fault]) => {
  expect(targetFault(url, "any")).toBe(fault);
});
