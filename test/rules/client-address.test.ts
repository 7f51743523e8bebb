// Which addresses count as one client.

import { expect, test } from "vitest";

import { networkOf } from "../../src/http/auth/client-address.ts";

test.for([
  ["203.0.113.7", "203.0.113.7"],
  ["0.0.0.0", "0.0.0.0"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["::FFFF:cb00:7107", "203.0.113.7"],
  ["0:0:0:0:0:ffff:0.0.0.1", "0.0.0.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002::", "2001:db8:1:2::/64"],
  ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  // The last four bytes are an address, but the prefix is not that of a mapped one.
  ["2001:db8::203.0.113.7", "2001:db8:0:0::/64"],
  ...["", "unknown", "203.0.113", "203.0.113.256", "010.0.0.1", "0x7f.0.0.1", "2130706433", "203.0.113.7, 198.51.100.1"].map(
    (garbage) => [garbage, null] as const,
  ),
  ...["fe80::1%eth0", "[::1]", "::1]/x", ":::", "1:2:3", "2001:db8::1/64", "203.0.113.7:443"].map((garbage) => [garbage, null] as const),
] as const)("the network of %j is %j", ([address, network]) => {
  expect(networkOf(address)).toBe(network);
});
