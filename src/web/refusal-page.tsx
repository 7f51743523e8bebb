// The page of a refusal: what is wrong, in a sentence, and where to go on.

import type { RefusalCode } from "../domain/refusals.ts";
import type { RefusalPage } from "../http/route.ts";
import { page } from "./layout.tsx";

type Words = { readonly title: string; readonly sentence: string };

const NOTHING_HERE: Words = { title: "There is nothing here", sentence: "Check the address, or go back to the page that you came from." };
const TRY_AGAIN: Words = { title: "No answer right now", sentence: "Nothing was changed. Load this page again in a few seconds." };

const SIGN_IN: Words = { title: "Come here from the shop", sentence: "Sign in there, and follow its link to this sale." };

/** The words of the refusals that a visitor of a page can meet. All others show their own sentence. */
const WORDS: Partial<Record<RefusalCode, Words>> = {
  not_found: NOTHING_HERE,
  coupon_not_found: { title: "There is no sale of this name", sentence: "It may have been deleted, or the address has a mistake." },
  invalid_request: { title: "Please check what you entered", sentence: "Something is missing or malformed. Go back, and correct it." },
  unauthorized: SIGN_IN,
  forbidden: SIGN_IN,
  challenge_failed: { title: "Please show that you are no robot", sentence: "The check needs JavaScript. Allow it, and go back." },
  rate_limited: { title: "Too many tries", sentence: "Nothing was changed. Wait a minute, and try again." },
  unavailable: TRY_AGAIN,
  internal_error: { title: "Something went wrong", sentence: "It is not your fault. Load this page again in a few seconds." },
  misconfigured: { title: "This server is not set up yet", sentence: "Its operator finds the reason in its log." },
  origin_not_allowed: { title: "This came from another page", sentence: "Open the page here, and try again." },
};

/** Returns the page of a refusal. */
export const refusalPage: RefusalPage = ({ status, code, error, frameOrigins }) => {
  const { title, sentence } = WORDS[code] ?? { title: "That did not work", sentence: `${error}.` };
  const { contentType, text, headers } = page({
    title: `${title} · Doorbuster`,
    ...(frameOrigins === undefined ? {} : { frameOrigins }),
    children: (
      <section class="notice">
        <p class="eyebrow">{status}</p>
        <h1>{title}</h1>
        <p>{sentence}</p>
        {frameOrigins === undefined ? (
          <p>
            <a href="/">Start page</a>
          </p>
        ) : null}
      </section>
    ),
  });
  return { text, headers: { ...headers, "Content-Type": contentType } };
};
