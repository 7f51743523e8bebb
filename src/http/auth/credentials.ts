// The credentials of a request: what shows who calls.

import { isOwnPage, pageOf } from "../cors.ts";
import type { Who } from "../route.ts";
import { mayHaveSession } from "./session.ts";

export type Credentials = {
  /** The header `Authorization`. */
  readonly authorization: string | null;
  /** The header `Cookie`, if the session in it counts. */
  readonly cookie: string | null;
};

/**
 * Returns the credentials of a request. A browser sends a cookie by itself, so a session counts only for pages of the
 * own origin. It never acts for a user, so on a route for users alone no cookie is read.
 */
export function credentialsOf(request: Request, who: Who): Credentials {
  const authorization = request.headers.get("authorization");
  const cookie = who === "user" ? null : request.headers.get("cookie");
  const isUsable = cookie !== null && mayHaveSession(cookie) && isOwnPage(pageOf(request));
  return { authorization, cookie: isUsable ? cookie : null };
}
