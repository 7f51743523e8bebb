// Logging in and out. The page works without JavaScript, as a form.

import * as z from "zod";

import { LOGIN_BODY_BYTES_MAX } from "../../domain/service-limits.ts";
import { TextAnswer } from "../../http/answer-schemas.ts";
import { networkOf } from "../../http/auth/client-address.ts";
import { logIn, logOut } from "../../http/auth/login.ts";
import { HTML_TYPE } from "../../http/media-types.ts";
import type { Refusal } from "../../http/refusals.ts";
import { queryChoice, queryText } from "../../http/request-schemas.ts";
import { ok, route } from "../../http/route.ts";
import { page, type Page } from "../layout.tsx";
import { nextPath } from "./next-path.ts";
import { loginPath } from "./shell.tsx";

const PATH = "/operator/login";
const PAGE = { [HTML_TYPE]: TextAnswer } as const;
const ON = { description: "On to the console." } as const;

/** `actor`: the operator's name. The request log takes a field `name` for a coupon. */
const LoginForm = z.object({ token: z.string().default(""), actor: z.string().default(""), next: z.string().default("") });

export const showLogin = route({
  id: "showLogin",
  tag: "pages",
  method: "GET",
  path: PATH,
  summary: "Log in to the console",
  who: "everybody",
  query: { next: queryText("Where the login leads."), left: queryChoice(["yes"], "Whether a logout leads here.") },
  successes: { 200: { description: "The form.", content: PAGE }, 303: ON },
  refusals: [],
  async handle({ query: { next, left } }, { worker: { env }, headers, isOperator }) {
    if (env.ADMIN_AUTH === "off") return ok(200, openPage(left !== null));
    if (await isOperator()) return ok(303, { headers: { Location: nextPath(next) } });
    // A link on another site leads here without the cookie. Loading the page again by itself sends it.
    const isFromElsewhere = ["cross-site", "same-site"].includes(headers.get("sec-fetch-site") ?? "");
    return ok(200, loginPage({ next, hasLeft: left !== null, isFromElsewhere }));
  },
});

export const submitLogin = route({
  id: "submitLogin",
  tag: "pages",
  method: "POST",
  path: PATH,
  summary: "Open a session",
  who: "everybody",
  body: { schema: LoginForm, bytesMax: LOGIN_BODY_BYTES_MAX, isForm: true },
  successes: {
    303: ON,
    400: { description: "The form: the name is refused.", content: PAGE },
    401: { description: "The form: the token is wrong.", content: PAGE },
    429: { description: "The form: too many tries.", content: PAGE },
  },
  refusals: [],
  async handle({ body: { token, actor: name, next } }, { worker: { env }, headers }) {
    if (env.ADMIN_AUTH === "off") return ok(303, { headers: { Location: nextPath(next) } });
    const network = networkOf(headers.get("cf-connecting-ip") ?? "");
    const result = await logIn(env, { token, name, network }, Date.now());
    if (result.ok) return ok(303, { headers: { Location: nextPath(next), "Set-Cookie": result.setCookie } });
    const form = loginPage({ next, name, refusal: result });
    if (result.code === "invalid_request") return ok(400, { ...form, hidden: result });
    if (result.code === "unauthorized") return ok(401, { ...form, hidden: result });
    const retryAfter = { "Retry-After": String(result.exceeded?.windowSeconds ?? 0) };
    return ok(429, { ...form, headers: { ...form.headers, ...retryAfter }, hidden: result });
  },
});

export const submitLogout = route({
  id: "submitLogout",
  tag: "pages",
  method: "POST",
  path: "/operator/logout",
  summary: "End the session",
  who: "everybody",
  successes: { 303: { description: "To the login page." } },
  refusals: [],
  handle: () => ok(303, { headers: { Location: `${PATH}?left=yes`, "Set-Cookie": logOut().setCookie } }),
});

type LoginState = {
  readonly next: string;
  readonly name?: string;
  readonly hasLeft?: boolean;
  readonly isFromElsewhere?: boolean;
  readonly refusal?: Refusal<"invalid_request" | "rate_limited" | "unauthorized">;
};

function loginPage({ next, name = "", hasLeft = false, isFromElsewhere = false, refusal }: LoginState): Page {
  const onName = refusal?.fields?.["name"];
  const fault = refusal === undefined ? null : faultOf(refusal);
  const described = { "aria-invalid": "true", "aria-describedby": "fault" } as const;
  return page({
    title: "Log in · Doorbuster",
    style: "console",
    ...(isFromElsewhere ? { loadsAgainAt: loginPath(nextPath(next)) } : {}),
    children: (
      <section class="card login">
        <p class="eyebrow">Doorbuster</p>
        <h1>Log in</h1>
        {hasLeft ? <p role="status">You are logged out.</p> : null}
        {fault === null ? null : (
          <p class="fault" id="fault" role="alert">
            {fault}
          </p>
        )}
        <form method="post" action={PATH}>
          <input type="hidden" name="next" value={nextPath(next)} />
          <div class="field">
            <label for="token">Admin token</label>
            <input
              id="token"
              name="token"
              type="password"
              autocomplete="current-password"
              required
              autofocus
              {...(refusal?.code === "unauthorized" ? described : { "aria-describedby": "token-hint" })}
            />
            <p class="hint" id="token-hint">
              The value of <code>ADMIN_TOKEN</code>.
            </p>
          </div>
          <div class="field">
            <label for="actor">Your name (optional)</label>
            <input
              id="actor"
              name="actor"
              value={name}
              autocomplete="username"
              {...(onName === undefined ? { "aria-describedby": "actor-hint" } : described)}
            />
            <p class="hint" id="actor-hint">
              So that the ledger says who did it.
            </p>
          </div>
          <button class="primary">Log in</button>
        </form>
      </section>
    ),
  });
}

function faultOf({ code, fields, error = "", exceeded }: Refusal): string {
  const name = fields?.["name"];
  if (name !== undefined) return `The name ${name}, without spaces.`;
  if (code === "rate_limited") return `Too many tries. Try again in ${exceeded?.windowSeconds ?? 0} seconds.`;
  return `${error.charAt(0).toUpperCase()}${error.slice(1)}.`;
}

/** The page where `ADMIN_AUTH=off` makes everybody the operator. */
function openPage(hasLeft: boolean): Page {
  return page({
    title: "Log in · Doorbuster",
    style: "console",
    children: (
      <section class="card login">
        <h1>No login is needed</h1>
        {hasLeft ? <p role="status">You are logged out.</p> : null}
        <p>
          Everybody who reaches this server is its operator, because <code>ADMIN_AUTH</code> is <code>off</code>.
        </p>
        <p>
          <a class="button primary" href="/operator">
            Go to the console
          </a>
        </p>
      </section>
    ),
  });
}
