// Hostile bytes for a socket, each with what has to come back: from our code, or from workerd, which reads HTTP before it.

/** Who answers with which status. `runtime` is workerd itself: it knows no request ids, and none of our code ran. */
export type Told = `${"ours" | "runtime"} ${number}`;

export type RawCase = {
  readonly name: string;
  /** Sent at once when connected, one character for each byte. */
  readonly bytes: string;
  /** Sent again and again after it. */
  readonly drip?: { readonly bytes: string; readonly everyMs: number };
  /** What the caller then does: nothing, close its half, or break off. */
  readonly leaves?: "end" | "reset";
  /** The answers, in order. */
  readonly told: readonly Told[];
  /** Whether the server closes the connection afterwards, within the longest time that workerd waits for a head (15 s). */
  readonly isClosed: boolean;
};

/** The coupon that honest users claim between the cases, and smugglers try to. */
export const RAW_COUPON = "fuzz-raw";
const HOST = "Host: doorbuster\r\n";

function get(target: string, headers = "", method = "GET"): string {
  return `${method} ${target} HTTP/1.1\r\n${HOST}${headers}\r\n`;
}

function post(headers: string, body = ""): string {
  return `POST /api/coupons/claim HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
}

function claimBody(user: string): string {
  return JSON.stringify({ user_id: user, coupon_name: RAW_COUPON });
}

/** A whole and right claim. One of a user whose name begins with `smuggled` must never be heard. */
export function claim(user: string): string {
  const body = claimBody(user);
  return post(`Content-Length: ${body.length}\r\n`, body);
}

function chunk(bytes: string): string {
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
}

const CHUNKED = "Transfer-Encoding: chunked\r\n";
const LAST = "0\r\n\r\n";

type Row = readonly [name: string, bytes: string, told: readonly Told[], end: "open" | "closed", more?: Pick<RawCase, "drip" | "leaves">];

const REQUEST_LINES: readonly Row[] = [
  ["a word", "garbage\r\n\r\n", ["runtime 400"], "closed"],
  ["nothing but NULs", "\0".repeat(1000), ["runtime 400"], "closed"],
  ["a TLS hello", "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03", ["runtime 400"], "closed"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [], "closed"],
  ["HTTP/0.9", "GET /health\r\n\r\n", ["runtime 400"], "closed"],
  ["HTTP/1.0 without a Host", "GET /health HTTP/1.0\r\n\r\n", ["runtime 400"], "closed"],
  ["HTTP/1.9", `GET /health HTTP/1.9\r\n${HOST}\r\n`, ["runtime 400"], "closed"],
  ["http/1.1 in small letters", `GET /health http/1.1\r\n${HOST}\r\n`, ["runtime 400"], "closed"],
  ["two blanks", `GET  /health  HTTP/1.1\r\n${HOST}\r\n`, ["runtime 400"], "closed"],
  ["a blank in the target", `GET /health x HTTP/1.1\r\n${HOST}\r\n`, ["runtime 400"], "closed"],
  ["ends of lines before it", `\r\n\r\n${get("/health")}`, ["ours 200"], "open"],
  ["bare line feeds", "GET /health HTTP/1.1\nHost: doorbuster\n\n", ["ours 200"], "open"],
  ["bare carriage returns", "GET /health HTTP/1.1\rHost: doorbuster\r\r", ["runtime 400"], "closed"],
  ["an unknown method", get("/health", "", "BREW"), ["runtime 501"], "closed"],
  ["a method in small letters", get("/health", "", "get"), ["runtime 501"], "closed"],
  ["a method of 64 KiB", get("/health", "", "A".repeat(65_536)), ["runtime 501"], "closed"],
  ["TRACE", get("/health", "", "TRACE"), ["ours 405"], "open"],
  ["CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", ["runtime 500"], "closed"],
];

const TARGETS: readonly Row[] = [
  ["a target in absolute form", get("http://evil.example/health"), ["ours 200"], "open"],
  ["a target in absolute form that is no URL", get("http://[::bad/health"), ["runtime 400"], "closed"],
  ["a target in authority form", get("evil.example:443"), ["ours 404"], "open"],
  ["an asterisk", get("*", "", "OPTIONS"), ["ours 404"], "open"],
  ["no slash", get("health"), ["ours 404"], "open"],
  ["a query alone", get("?x"), ["runtime 400"], "closed"],
  ["a backslash first", get("\\health"), ["runtime 400"], "closed"],
  ["two slashes", get("//api//coupons"), ["ours 404"], "open"],
  ["another host behind two slashes", get("//evil.example/health"), ["ours 404"], "open"],
  ["half a host behind two slashes", get("//["), ["ours 404"], "open"],
  ["a part behind #", get("/health#x"), ["ours 200"], "open"],
  ["dots", get("/api/../health"), ["ours 404"], "open"],
  ["a NUL in the target", get("/hea\0lth"), ["runtime 400"], "closed"],
  ["letters of UTF-8 in the target", get("/caf\u00c3\u00a9"), ["ours 404"], "open"],
  ["bytes that are no UTF-8 in the target", get("/caf\u00e9"), ["runtime 400"], "closed"],
  ["a target of 20,000 bytes", get(`/${"a".repeat(20_000)}`), ["ours 404"], "open"],
  ["a target of 64 KiB", get(`/${"a".repeat(65_536)}`), ["runtime 414"], "closed"],
];

const HEADERS: readonly Row[] = [
  ["no Host", "GET /health HTTP/1.1\r\n\r\n", ["runtime 400"], "open"],
  ["an empty Host", "GET /health HTTP/1.1\r\nHost:\r\n\r\n", ["runtime 400"], "open"],
  ["two Hosts", "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", ["ours 200"], "open"],
  ["a Host that is half an address", "GET /health HTTP/1.1\r\nHost: [::1\r\n\r\n", ["ours 200"], "open"],
  ["a header of 300,000 bytes", get("/health", `X-A: ${"a".repeat(300_000)}\r\n`), ["ours 200"], "open"],
  ["2,000 headers", get("/health", Array.from({ length: 2000 }, (_, index) => `X-${index}: 1\r\n`).join("")), ["ours 200"], "open"],
  ["a folded header", get("/health", "X-A: a\r\n b\r\n"), ["runtime 400"], "closed"],
  ["a blank in a header's name", get("/health", "X A: b\r\n"), ["runtime 400"], "closed"],
  ["a header without a colon", get("/health", "XA\r\n"), ["runtime 400"], "closed"],
  ["a header without a name", get("/health", ": x\r\n"), ["runtime 400"], "closed"],
  ["a NUL in a header", get("/health", "X-A: a\0b\r\n"), ["runtime 400"], "closed"],
  ["a carriage return in a header", get("/health", "X-Request-Id: a\rb\r\n"), ["runtime 400"], "closed"],
  ["Latin letters as X-Request-Id", get("/health", "X-Request-Id: caf\u00e9\r\n"), ["ours 200"], "open"],
  ["Expect: 100-continue, and then no body", post("Expect: 100-continue\r\nContent-Length: 2\r\n"), ["runtime 100"], "open"],
  ["an Expect that nobody knows", post("Expect: 999-nonsense\r\nContent-Length: 2\r\n", "{}"), ["ours 400"], "open"],
  ["Range", get("/health", "Range: bytes=0-3\r\n"), ["ours 200"], "open"],
  [
    "an upgrade to a WebSocket",
    get(
      "/health",
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ),
    ["ours 200"],
    "open",
  ],
  [
    "an upgrade to HTTP/2",
    get("/health", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
    ["ours 200"],
    "open",
  ],
  [
    "Connection: close with more behind it",
    get("/health", "Connection: close\r\n") + claim("smuggled-behind-close"),
    ["ours 200"],
    "closed",
  ],
  [
    "two keys",
    post(
      `Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: ${claimBody("smuggled-two-keys").length}\r\n`,
      claimBody("smuggled-two-keys"),
    ),
    ["ours 400"],
    "open",
  ],
];

const LENGTHS: readonly Row[] = [
  ["a length below zero", post("Content-Length: -1\r\n", "{}"), ["runtime 400"], "closed"],
  ["a length with a sign", post("Content-Length: +2\r\n", "{}"), ["runtime 400"], "closed"],
  ["a length in hexadecimal", post("Content-Length: 0x2\r\n", "{}"), ["runtime 400"], "closed"],
  ["an empty length", post("Content-Length:\r\n", "{}"), ["runtime 400"], "closed"],
  ["a list of lengths", post("Content-Length: 2, 2\r\n", "{}"), ["runtime 400"], "closed"],
  ["a length beyond 64 bits", post(`Content-Length: ${"9".repeat(23)}\r\n`, "{}"), ["runtime 400"], "closed"],
  ["a length beyond 2^53", post("Content-Length: 9007199254740993\r\n", "{}"), ["ours 413"], "closed"],
  ["the same length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), ["ours 400"], "open"],
  [
    "two lengths",
    post(`Content-Length: 2\r\nContent-Length: ${2 + claim("smuggled-two-lengths").length}\r\n`, `{}${claim("smuggled-two-lengths")}`),
    ["runtime 400"],
    "closed",
  ],
  ["a length shorter than the body", post("Content-Length: 5\r\n", claimBody("smuggled-short")), ["ours 400", "runtime 400"], "closed"],
  ["a length longer than the body", post("Content-Length: 500\r\n", claimBody("smuggled-long")), [], "open"],
  [
    "a length longer than the body, and then the end",
    post("Content-Length: 500\r\n", claimBody("smuggled-long-end")),
    ["ours 400"],
    "closed",
    { leaves: "end" },
  ],
  [
    "a length longer than the body, and then a reset",
    post("Content-Length: 500\r\n", claimBody("smuggled-reset")),
    [],
    "closed",
    { leaves: "reset" },
  ],
  ["a right claim, and then the end", claim("honest-half-closed"), ["ours 201"], "closed", { leaves: "end" }],
  ["a body without a length", post("", claimBody("smuggled-no-length")), ["ours 400", "runtime 400"], "closed"],
  [
    "a claim as the body of a GET",
    get("/health", `Content-Length: ${claim("smuggled-in-get").length}\r\n`) + claim("smuggled-in-get"),
    ["ours 200"],
    "open",
  ],
  [
    "a claim as the body of a claim",
    post(`Content-Length: ${claim("smuggled-in-claim").length}\r\n`, claim("smuggled-in-claim")),
    ["ours 400"],
    "open",
  ],
];

const ENCODINGS: readonly Row[] = [
  [
    "a length and chunks, with a claim behind the last chunk",
    post(`Content-Length: ${5 + claim("smuggled-cl-te").length}\r\n${CHUNKED}`, LAST + claim("smuggled-cl-te")),
    ["ours 400"],
    "closed",
  ],
  [
    "chunks and a length, with a claim in a chunk",
    post(`${CHUNKED}Content-Length: 4\r\n`, chunk(claim("smuggled-te-cl")) + LAST),
    ["ours 400"],
    "closed",
  ],
  ["two encodings", post(`${CHUNKED}Transfer-Encoding: identity\r\n`, LAST + claim("smuggled-te-te")), ["runtime 400"], "closed"],
  ["an encoding that nobody knows", post("Transfer-Encoding: xchunked\r\n", LAST + claim("smuggled-xchunked")), ["runtime 400"], "closed"],
  ["an empty encoding", post("Transfer-Encoding: \r\n", LAST), ["runtime 400"], "closed"],
  [
    "a blank before the colon",
    post("Transfer-Encoding : chunked\r\nContent-Length: 4\r\n", chunk(claim("smuggled-blank")) + LAST),
    ["runtime 400"],
    "closed",
  ],
  [
    "chunks in HTTP/1.0",
    `POST /api/coupons/claim HTTP/1.0\r\n${HOST}${CHUNKED}\r\n${LAST}${claim("smuggled-1.0")}`,
    ["runtime 400"],
    "closed",
  ],
  ["a right claim in chunks", post(CHUNKED, chunk(claimBody("honest-chunked")) + LAST), ["ours 201"], "open"],
  ["a claim in a chunk, as a request", post(CHUNKED, chunk(claim("smuggled-in-chunk")) + LAST), ["ours 400"], "open"],
  ["a chunk whose size is no number", post(CHUNKED, `zz\r\n{}\r\n${LAST}`), ["ours 400"], "closed"],
  ["a chunk whose size is below zero", post(CHUNKED, `-1\r\n{}\r\n${LAST}`), ["ours 400"], "closed"],
  ["a chunk whose size is beyond 64 bits", post(CHUNKED, `${"F".repeat(17)}\r\n{}\r\n${LAST}`), ["ours 400"], "closed"],
  ["a chunk of 8 exbibytes", post(CHUNKED, `7${"F".repeat(15)}\r\n{}`), [], "open"],
  ["a chunk longer than its size", post(CHUNKED, `2\r\n{}${claim("smuggled-overrun")}\r\n${LAST}`), ["ours 400"], "closed"],
  ["chunks with bare line feeds", post(CHUNKED, "2\n{}\n0\n\n"), ["ours 400"], "closed"],
  ["a chunk with an extension", post(CHUNKED, `2;x="y"\r\n{}\r\n${LAST}`), ["ours 400"], "open"],
  ["chunks with a trailer", post(CHUNKED, "2\r\n{}\r\n0\r\nX-T: 1\r\n\r\n"), ["ours 400"], "open"],
  ["chunks without a last one, and then the end", post(CHUNKED, chunk("{}")), ["ours 400"], "closed", { leaves: "end" }],
  ["chunks without end", post(CHUNKED), ["ours 413"], "closed", { drip: { bytes: chunk(" ".repeat(1024)), everyMs: 5 } }],
];

const CONNECTIONS: readonly Row[] = [
  ["two claims at once", claim("honest-first") + claim("honest-second"), ["ours 201", "ours 201"], "open"],
  ["a claim, and then garbage", `${claim("honest-before-garbage")}\0\0\0\r\n\r\n`, ["ours 201", "runtime 400"], "closed"],
  ["a HEAD, and then a claim", get("/health", "", "HEAD") + claim("honest-after-head"), ["ours 200", "ours 201"], "open"],
  [
    "a stream of events, and then a claim that waits for ever",
    get(`/api/coupons/${RAW_COUPON}/events`) + claim("smuggled-behind-stream"),
    ["ours 200"],
    "open",
  ],
  ["nothing at all", "", [], "closed"],
  ["a head without end", get("/health").slice(0, -2), [], "closed"],
  ["a head without end, a header at a time", get("/health").slice(0, -2), [], "closed", { drip: { bytes: "X-A: b\r\n", everyMs: 500 } }],
  ["a body that comes a byte at a time", post("Content-Length: 100\r\n"), [], "open", { drip: { bytes: " ", everyMs: 50 } }],
  ["silence after an answer", get("/health"), ["ours 200"], "closed"],
  ["a reset before an answer", claim("honest-or-not-reset"), [], "closed", { leaves: "reset" }],
];

/** All cases. */
export const RAW_CASES: readonly RawCase[] = [...REQUEST_LINES, ...TARGETS, ...HEADERS, ...LENGTHS, ...ENCODINGS, ...CONNECTIONS].map(
  caseOf,
);

function caseOf([name, bytes, told, end, more]: Row): RawCase {
  return { name, bytes, told, isClosed: end === "closed", ...more };
}
