// Hostile bytes for a socket that our code answers, and that workerd does not refuse by itself.

export type RawCase = {
  readonly name: string;
  /** Sent at once when connected, one character for each byte. */
  readonly bytes: string;
  /** The statuses of our answers, in order. */
  readonly statuses: readonly number[];
  /** What the caller does then: close its half, or reset the connection. */
  readonly leaves?: "end" | "reset";
};

/** The coupon that honest users claim between the cases, and smuggled claims aim at. */
export const RAW_COUPON = "fuzz-raw";

const HOST = "Host: doorbuster\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const LAST = "0\r\n\r\n";

function get(target: string, headers = "", method = "GET"): string {
  return `${method} ${target} HTTP/1.1\r\n${HOST}${headers}\r\n`;
}

function post(headers: string, body = ""): string {
  return `POST /api/coupons/claim HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
}

function claimBody(user: string): string {
  return JSON.stringify({ user_id: user, coupon_name: RAW_COUPON });
}

/** A valid claim. One of a user whose name begins with `smuggled` must never be granted. */
function claim(user: string): string {
  return sized(claimBody(user));
}

function sized(body: string, lengthMore = 0): string {
  return post(`Content-Length: ${body.length + lengthMore}\r\n`, body);
}

function chunk(bytes: string): string {
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
}

function chunked(body: string, headers = ""): string {
  return post(CHUNKED + headers, body);
}

type Row = readonly [name: string, bytes: string, statuses: readonly number[], more?: Pick<RawCase, "leaves">];

const WEBSOCKET =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const HEADS: readonly Row[] = [
  ["a target in absolute form", get("http://evil.example/health"), [200]],
  // Without a slash, the platform sees an empty path, which is that of the page with links.
  ["a target in authority form", get("evil.example:443"), [200]],
  ["an asterisk", get("*", "", "OPTIONS"), [404]],
  ["no slash", get("health"), [200]],
  ["another host behind two slashes", get("//evil.example/health"), [404]],
  ["half a host behind two slashes", get("//["), [404]],
  ["two Hosts", "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", [200]],
  ["a Host that is half an address", "GET /health HTTP/1.1\r\nHost: [::1\r\n\r\n", [200]],
  ["an upgrade to a WebSocket", get("/health", WEBSOCKET), [200]],
];

const BODIES: readonly Row[] = [
  ["a length beyond 2^53", post("Content-Length: 9007199254740993\r\n", "{}"), [413]],
  ["a length shorter than the body", post("Content-Length: 5\r\n", claimBody("smuggled-short")), [400]],
  ["a length longer than the body, and then the end", sized(claimBody("smuggled-end"), 400), [400], { leaves: "end" }],
  ["a length longer than the body, and then a reset", sized(claimBody("smuggled-reset"), 400), [], { leaves: "reset" }],
  ["a body without a length", post("", claimBody("smuggled-no-length")), [400]],
  ["a claim as the body of a GET", get("/health", `Content-Length: ${claim("smuggled-get").length}\r\n`) + claim("smuggled-get"), [200]],
  ["a claim as the body of a claim", sized(claim("smuggled-in-claim")), [400]],
  [
    "a claim behind the last chunk",
    chunked(LAST + claim("smuggled-cl-te"), `Content-Length: ${5 + claim("smuggled-cl-te").length}\r\n`),
    [400],
  ],
  ["a claim in a chunk, and a length", chunked(chunk(claim("smuggled-te-cl")) + LAST, "Content-Length: 4\r\n"), [400]],
  ["a valid claim in chunks", chunked(chunk(claimBody("honest-chunked")) + LAST), [201]],
  ["a chunk whose size is not a number", chunked(`zz\r\n{}\r\n${LAST}`), [400]],
  ["a chunk whose size is beyond 64 bits", chunked(`${"F".repeat(17)}\r\n{}\r\n${LAST}`), [400]],
  ["a chunk longer than its size", chunked(`2\r\n{}${claim("smuggled-overrun")}\r\n${LAST}`), [400]],
  ["chunks without a last one, and then the end", chunked(chunk("{}")), [400], { leaves: "end" }],
];

const CONNECTIONS: readonly Row[] = [
  ["two claims at once", claim("honest-first") + claim("honest-second"), [201, 201]],
  ["a claim, and then the end", claim("honest-half-closed"), [201], { leaves: "end" }],
  ["a HEAD, and then a claim", get("/health", "", "HEAD") + claim("honest-after-head"), [200, 201]],
  ["a claim behind a stream of events", get(`/api/coupons/${RAW_COUPON}/events`) + claim("smuggled-behind-stream"), [200]],
  ["a reset before the answer", claim("honest-or-not-reset"), [], { leaves: "reset" }],
];

export const RAW_CASES: readonly RawCase[] = [...HEADS, ...BODIES, ...CONNECTIONS].map(caseOf);

function caseOf([name, bytes, statuses, more]: Row): RawCase {
  return { name, bytes, statuses, ...more };
}
