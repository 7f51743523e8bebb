// Faults in who is let in, and in what is read from a request and written into an answer.

import { inWorkerd, type Mutant } from "../mutant.ts";

const OPERATOR = "src/edge/operator.ts";

export const HTTP_MUTANTS: readonly Mutant[] = [
  {
    name: "admin-token-compared-by-its-beginning",
    fault: "The first letters of the admin token are enough.",
    edits: [
      {
        file: OPERATOR,
        find: "const [a, b] = await Promise.all([digest(offered), digest(token)]);",
        replace: "const [a, b] = await Promise.all([digest(offered), digest(token.slice(0, offered.length))]);",
      },
    ],
    suite: inWorkerd("worker/edge/operator"),
  },
  {
    name: "everybody-the-operator-by-default",
    fault: "The operator's routes are open unless ADMIN_AUTH says that they are not.",
    edits: [{ file: OPERATOR, find: `env.ADMIN_AUTH === "off"`, replace: `env.ADMIN_AUTH !== "on"` }],
    suite: inWorkerd("worker/edge/operator"),
  },
  {
    name: "claimants-shown-to-everybody",
    fault: "Who claimed is shown to everybody.",
    edits: [
      {
        file: "src/http/routes/coupons.ts",
        find: "const claimedBy = await isCalledByOperator(c);",
        replace: "const claimedBy = (await isCalledByOperator(c)) || true;",
      },
    ],
    suite: inWorkerd("worker/contract/operator", "who claimed"),
  },
  {
    name: "all-holds-ended-by-anybody",
    fault: "The end of all holds is open to every caller.",
    edits: [
      {
        file: "src/http/routes/holds.ts",
        find: `closed it may take up to about a second.",\n    who: "operator",`,
        replace: `closed it may take up to about a second.",\n    who: "user",`,
      },
    ],
    suite: inWorkerd("worker/sale/hold-limits"),
  },
  {
    name: "user-of-the-token-not-compared",
    fault: "Any valid token speaks for any user.",
    edits: [
      {
        file: "src/edge/identity.ts",
        find: `return sub === userId ? null : "forbidden";`,
        replace: "return sub === userId ? null : null;",
      },
    ],
    suite: inWorkerd("worker/access/identity", "with a secret, a claim"),
  },
  {
    name: "rate-counted-by-user-alone",
    fault: "A user's requests for one coupon are counted against all others.",
    edits: [{ file: "src/edge/rate-limit.ts", find: "key: `${coupon}\\n${userId}`", replace: "key: coupon && userId" }],
    suite: inWorkerd("worker/access/rate-limit-counter", "counted are"),
  },
  {
    name: "refusals-without-their-seq",
    fault: "A refusal does not say at which point of the ledger it was judged.",
    edits: [{ file: "src/http/answers.ts", find: "if (seq !== undefined)", replace: "if (seq !== undefined && status < 400)" }],
    suite: inWorkerd("worker/contract/claims", "a user who gets nothing"),
  },
  {
    name: "key-of-a-list-ignored",
    fault: "Claims for many users that are sent again with their key are answered as claims of other requests.",
    edits: [{ file: "src/http/routes/bulk-claims.ts", find: "`bulk ${key}`", replace: "`bulk ${crypto.randomUUID()}`" }],
    suite: inWorkerd("worker/sale/bulk-claims"),
  },
  {
    name: "bytes-that-are-no-text-replaced",
    fault: "Bytes that are no UTF-8 are replaced, so that two users become one.",
    edits: [{ file: "src/http/body.ts", find: "fatal: true", replace: "fatal: false" }],
    suite: inWorkerd("worker/contract/bodies", "a body that is no JSON object is refused"),
  },
  {
    name: "formula-in-the-csv",
    fault: "A user id that a spreadsheet would run as a formula is exported as it is.",
    edits: [{ file: "src/http/claim-export.ts", find: "(^(?=\\s*[=+", replace: "(^(?=\\s*[+" }],
    suite: inWorkerd("worker/sale/export", "runs no formula in a spreadsheet"),
  },
  {
    name: "formula-behind-a-semicolon",
    fault: "A formula is exported as it is where a spreadsheet begins a cell with it because it splits lines by semicolons.",
    edits: [{ file: "src/http/claim-export.ts", find: '|;(?=[\\s"]*', replace: '|;\\n(?=[\\s"]*' }],
    suite: inWorkerd("worker/sale/export", "runs no formula in a spreadsheet"),
  },
  {
    name: "user-ids-in-the-log",
    fault: "The log names users as they are.",
    edits: [
      { file: "src/http/request-log.ts", find: "    route,\n    status,", replace: "    route,\n    path: c.req.path,\n    status," },
    ],
    suite: inWorkerd("worker/live/request-log"),
  },
];
