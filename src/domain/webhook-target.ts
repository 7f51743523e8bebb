// Which addresses a webhook may go to.

/** `public`: https to public hosts. `any`: also http and private hosts, for local development. */
export const WEBHOOK_TARGETS = ["public", "any"] as const;
export type WebhookTargets = (typeof WEBHOOK_TARGETS)[number];

/** Names that public DNS does not have (RFC 6761, RFC 6762, RFC 8375; ICANN reserved `.internal` in 2024). A name without a dot is another one. */
const LOCAL_NAME = /^[^.]*$|(?:^|\.)(?:localhost|local|internal|home\.arpa|intranet|lan)$/;

/**
 * IPv4 blocks that are not globally reachable, by the IANA registry of special-purpose addresses (RFC 6890), and multicast:
 * private, shared (CGNAT), loopback, link-local with the metadata service of clouds, documentation, benchmarks, reserved.
 */
const SPECIAL_IPV4: readonly (readonly [block: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/**
 * Returns what is wrong with the URL of an endpoint, or null. Any port is allowed: it is one of a public host.
 *
 * A name can still resolve to a private address, and a Worker does not see to which. The network refuses the connection: workerd
 * connects to public addresses unless its configuration allows others (`Network.allow` in workerd.capnp), and on Cloudflare a
 * Worker runs in no network of the operator's.
 */
export function targetFault(url: string, targets: WebhookTargets): string | null {
  const parsed = URL.parse(url);
  if (parsed === null) return "is not a URL";
  const { protocol, username, password, hostname } = parsed;
  if (protocol !== "https:" && (targets === "public" || protocol !== "http:")) return "must begin with https://";
  if (username !== "" || password !== "") return "must not have a user name or a password";
  return targets === "public" && !isPublic(hostname.replace(/\.+$/, "")) ? "must have a public host" : null;
}

/** Whether a host is public, in the form that URL gives it. All spellings of an IPv4 address have one form there. */
function isPublic(hostname: string): boolean {
  if (hostname.startsWith("[")) return isPublicIpv6(hostname.slice(1, -1));
  if (!/^\d+(?:\.\d+){3}$/.test(hostname)) return !LOCAL_NAME.test(hostname);
  return !SPECIAL_IPV4.some(([block, bits]) => (ipv4(block) ^ ipv4(hostname)) >>> (32 - bits) === 0);
}

function ipv4(dotted: string): number {
  return dotted.split(".").reduce((address, byte) => address * 256 + Number(byte), 0);
}

/**
 * Global unicast (2000::/3) without the blocks that carry an IPv4 address or are not for the public: Teredo and other protocols
 * (2001::/23), documentation (2001:db8::/32, 3fff::/20), 6to4 (2002::/16). All other special blocks are outside 2000::/3: loopback,
 * IPv4-mapped, NAT64, unique local, link-local and multicast addresses.
 */
function isPublicIpv6(address: string): boolean {
  const [first = 0, second = 0] = address
    .replace(/::.*/, "")
    .split(":")
    .map((group) => Number.parseInt(group, 16) || 0);
  if (first >>> 13 !== 1) return false;
  if (first === 0x2001) return second >= 0x200 && second !== 0xdb8;
  return first !== 0x2002 && !(first === 0x3fff && second < 0x1000);
}
