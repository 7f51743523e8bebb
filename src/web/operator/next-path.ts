// Where a login may lead.

const HOME = "/operator";
/** Pages that a login must not lead to: they would lead back or end the session. */
const OWN = /^\/operator\/log(?:in|out)(?:[/?#]|$)/;

/**
 * Returns `next` if it is a path of the console, and else the console's first page. Browsers take `//` and `\` for the
 * beginning of a host, and they ignore white space and control characters.
 */
export function nextPath(next: string): string {
  const isOfConsole = /^\/operator(?:[/?#]|$)/.test(next) && !OWN.test(next);
  return isOfConsole && /^[\x21-\x7e]+$/.test(next) && !next.includes("//") && !next.includes("\\") ? next : HOME;
}
