// Texts, JSON, paths and headers that have broken other servers.

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

const LONG = ["x".repeat(255), "x".repeat(256), "🎉".repeat(255), "🎉".repeat(256), "x".repeat(4000), "👩‍👩‍👧‍👦".repeat(20)];
const CONTROL = ["a\0b", "line\r\nbreak", "Set-Cookie: x=1\r\n\r\n<html>", "\u001b[31m", "\u202eright to left", "\udc00a", "a\ud83d"];
const SENTENCES = ["", "a b", "e\u0301", "用户 🎉", "' OR 1=1 --", "'; DROP TABLE claims; --", "=cmd|' /C calc'!A0", "[object Object]"];

/** For any text field and, encoded, for paths and queries. */
export const HOSTILE_TEXTS: readonly string[] = [
  // Each is one character: blanks, control characters, ends of lines, half a surrogate pair.
  ...Array.from(" \u3000\t\0\u007f\u0085\u2028\u200b\ufeff\ufffd\uffff\ud800"),
  ...words(String.raw`. .. ../../etc/passwd a/b a\b // %00 %2F %ZZ 100% ? # a?b=c#d a;b a+b é ﬀ İ * , "," " ' %s%n%x
    claim claims holds status events metrics null undefined true NaN -0 1e400 {{7*7}} @SUM(1) <script>alert(1)</script>
    __proto__ constructor prototype toString hasOwnProperty then toJSON $where`),
  ...SENTENCES,
  ...CONTROL,
  ...LONG,
];

/** Pieces of JSON text, some of which are not JSON. */
export const HOSTILE_TOKENS: readonly string[] = [
  "",
  "1".repeat(1000),
  ...words(String.raw`null true false 0 -0 -1 1.5 1.0 1e0 0.1e1 1e400 -1e400 1e-400 2147483647 2147483648 -2147483648 4294967297
    9007199254740991 9007199254740993 18446744073709551617 01 +1 .5 0x10 NaN Infinity undefined 'x' "unended
    [] {} [[]] [null] [1] {"length":1} {"__proto__":{"isOperator":true}} {"constructor":{"prototype":{"x":1}}}
    {"toString":1,"valueOf":1,"toJSON":1} {"$ref":"#"} "\ud800" "\udc00\ud800" "\u0000" "\x41"
    "2026-02-30T00:00:00Z" "2026-11-27T09:00:00" "2026-11-27T24:00:00Z" "2016-12-31T23:59:60Z" "0000-01-01T00:00:00Z"
    "9999-12-31T23:59:59.999-23:59" "+275760-09-13T00:00:00Z" "1970-01-01T00:00:00.000000000001Z" "now" 1794992400000`),
];

/** Names that a field gets in place of, or beside, its own. */
export const HOSTILE_FIELDS: readonly string[] = words(
  "__proto__ constructor prototype toJSON then USER_ID userId coupon_name[] name.name $set length 0",
).concat("", " ", "user_id ", "user_id\0");

/** What stands in a path in place of a name, as it is sent. */
export const HOSTILE_SEGMENTS: readonly string[] = [
  ...words(String.raw`%00 a%00b %0d%0aX-Injected:%20yes % %4 %zz %ZZ%2 %2F %2e%2e %2e ..%2f.. %252F %25%30%30 %u0041 %ff %c0%af
    %e0%80%af %f0%80%80%af %ED%A0%80 %F4%90%80%80 %EF%BB%BF %20 %09 %7F %5C a\b \ . .. ... ; a;b=c @ : a:b@c * {name} :name
    [] | ^ " ' + & = ~`),
  "x".repeat(256),
  "%41".repeat(256),
  "x".repeat(8000),
];

/** How a path is bent as a whole. `|` stands for the path. */
export const HOSTILE_PATHS: readonly string[] = words(
  String.raw`|/ |// /| //api/| |/. |/.. |/%2e%2e |/../.. /./| /x/..| |/x |.json |;x=y |%20 |%3F |%23 |\ |\x |#x |% /API|`,
);

export const HOSTILE_QUERIES: readonly string[] = [
  ...words(`? & &&=& = x x=% x=%zz x=%00 x=%ED%A0%80 __proto__=1 constructor[prototype][x]=1 after[]=1&limit[]=1 limit=1&limit=2
    after=1;limit=1 LIMIT=1 limit%00=1 user_id=other&name=other _method=DELETE callback=alert`),
  `x=${"y".repeat(4000)}`,
  "x&".repeat(500),
];

const LONG_VALUES = ["9".repeat(400), "x".repeat(255), "x".repeat(256), "x".repeat(8000)];

/** For any header. */
export const HOSTILE_HEADER_VALUES: readonly string[] = words(
  `, " "" * -1 0 1e309 NaN caf\u00e9 \u00ff\u00fe %00 __proto__ W/ W/" application/json`,
).concat("", " ", "a b", "a\tb", '"a", "b"', ", ,", "' OR 1=1 --", LONG_VALUES);

/** Headers that no route declares, and that a proxy or a framework may act on. */
export const HOSTILE_HEADERS: readonly (readonly [name: string, value: string])[] = words(
  `X-HTTP-Method-Override=DELETE X-Forwarded-For=127.0.0.1 X-Forwarded-Host=evil.example X-Original-URL=/api/coupons
    CF-Connecting-IP=::1 CF-Worker=evil.example Cookie=a=b;__proto__=c Origin=null Range=bytes=0-3 If-Modified-Since=0
    If-Unmodified-Since=yesterday Cache-Control=no-cache,only-if-cached Accept-Encoding=nonsense;q=9 Content-Encoding=gzip
    Access-Control-Request-Method=POST Date=yesterday Served-By=edge Coupon-Seq=0 __proto__=x constructor=x`,
).map((header) => [header.slice(0, header.indexOf("=")), header.slice(header.indexOf("=") + 1)]);

export const ACCEPTS: readonly string[] = words(`*/* application/json text/csv application/x-ndjson text/csv;q=0.1,application/json
  text/csv;q=0,application/x-ndjson;q=0 text/* text/html application/json;q=x text/csv;q=1e309 ;;;,,,`);

export const CONTENT_TYPES: readonly string[] = words(`application/json application/json;charset=utf-8 application/json;charset=utf-16
  text/plain application/x-www-form-urlencoded multipart/form-data;boundary=x application/xml nonsense ;;`);

/** Methods that workerd passes on. It answers 501 by itself to any that it does not know. */
export const OTHER_METHODS: readonly string[] = words("GET HEAD POST PUT PATCH DELETE OPTIONS TRACE PROPFIND PURGE SEARCH");
