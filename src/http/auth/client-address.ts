// The network of a client, from the address that Cloudflare sees.

const IPV4 = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/;
/** An IPv4 address that is mapped into IPv6, as the URL parser writes it. */
const MAPPED = /^::ffff:([\da-f]+):([\da-f]+)$/;

/**
 * Returns the network of an address: an IPv4 address itself, also if it is mapped into IPv6, or the /64 of an
 * IPv6 address, because one client can use all of it. Returns null for anything else.
 */
export function networkOf(address: string): string | null {
  if (IPV4.test(address)) return URL.parse(`http://${address}`)?.hostname ?? null;
  if (!/^[\da-f:.]+$/i.test(address)) return null;
  const canonical = URL.parse(`http://[${address}]`)?.hostname.slice(1, -1);
  if (canonical === undefined) return null;
  const [, ...mapped] = MAPPED.exec(canonical) ?? [];
  if (mapped.length > 0) return mapped.flatMap(bytesOf).join(".");
  const [head = [], tail = []] = canonical.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(":")}::/64`;
}

function bytesOf(group: string): number[] {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 255];
}
