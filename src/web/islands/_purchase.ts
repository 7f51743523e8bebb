// The visitor's side of the sale page: who buys, the button, the hold, and the outcome.

import { isGrant, outcomeView } from "../outcome-view.ts";
import { isJudged } from "../page-rules.ts";
import { objectIn } from "../sale-status.ts";
import { isPast, pressed, purchaseView, type Action, type PurchaseFacts } from "../purchase-view.ts";
import type { SaleView } from "../sale-view.ts";
import { attemptOf, keep, lastAttempt, lastAttemptOf, rememberUser, rememberedUser, type Attempt } from "./_attempt.ts";
import { challengeHeader, resetChallenge } from "./_challenge.ts";
import { part, sale, settings, show, write, writeTimer } from "./_page.ts";
import { sendUntilAnswered, type Outcome, type Sent } from "./_send.ts";
import { awaitsToken, forgetToken, tellShop, visitor } from "./_shop.ts";

/** What the visitor's side knows of the sale. `now` is the server's time. `changed` renders the page again. */
export type Watched = {
  readonly name: string;
  readonly now: () => number;
  readonly amount: () => number;
  readonly changed: () => void;
};

type Shown = Pick<Outcome, "code" | "position" | "seconds">;

const input = part("user");

/** Returns the id that the visitor has written, or the token's. */
function userId(): string {
  return input instanceof HTMLInputElement ? input.value.trim() : (visitor()?.userId ?? "");
}

function tokenHeader(): Readonly<Record<string, string>> {
  const token = visitor()?.token;
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

export class Purchase {
  readonly #watched: Watched;
  #attempt: Attempt | null = null;
  #shown: Shown | null = null;
  #running: Action | null = null;
  #isRepeating = false;
  #canBuy = false;
  #isOver = false;
  /** The attempt that the server was asked about since the page was loaded. */
  #checkedKey: string | null = null;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  start(): void {
    part("main-button")?.removeAttribute("disabled");
    if (input instanceof HTMLInputElement) {
      input.addEventListener("input", () => this.reload());
    }
    part("buy")?.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#running !== null) return;
      if (userId() !== "") return this.#press();
      if (!(input instanceof HTMLInputElement)) return;
      // Spaces are no id. The browser says so for an empty field.
      input.value = "";
      input.reportValidity();
    });
    part("other")?.addEventListener("click", () => {
      if (!(input instanceof HTMLInputElement)) return;
      input.value = "";
      resetChallenge();
      this.reload();
      input.focus();
    });
    part("second-button")?.addEventListener("click", () => {
      if (this.#attempt !== null) void this.#run("give_back", this.#attempt);
    });
    this.adopt();
  }

  /** Takes the visitor of the last attempt, maybe of another tab, unless this tab has one. */
  adopt(): void {
    if (input instanceof HTMLInputElement && input.value === "") input.value = lastAttempt()?.userId ?? rememberedUser();
    this.reload();
  }

  /** The user or the token has changed. */
  reload(): void {
    if (this.#running !== null) return;
    this.#attempt = lastAttemptOf(userId());
    this.#shown = this.#restored();
    this.#watched.changed();
    if (this.#attempt !== null && (this.#attempt.position !== null || this.holdEndsAt() !== null)) void this.#check(this.#attempt);
  }

  /** The shop may have taken back a unit or a hold that this browser remembers. */
  async #check(found: Attempt): Promise<void> {
    const { key, userId: user, position } = found;
    if (key === this.#checkedKey) return;
    this.#checkedKey = key;
    const path = `/api/coupons/${encodeURIComponent(this.#watched.name)}/claims/${encodeURIComponent(user)}`;
    const text = await fetch(path, { headers: tokenHeader() })
      .then((response) => response.text())
      .catch(() => "");
    if (objectIn(text)["code"] !== "claim_not_found" || this.#running !== null || this.#attempt?.key !== key) return;
    this.#attempt = keep({ ...found, position: null, holdEndsAt: null });
    this.#shown = { code: position === null ? "hold_released" : "claim_released" };
    this.#watched.changed();
  }

  /** The sale was deleted. */
  end(): void {
    this.#shown = { code: "coupon_not_found" };
    this.#watched.changed();
  }

  /** When the visitor's hold ends, or null. */
  holdEndsAt(): number | null {
    const { position = null, holdEndsAt = null } = this.#attempt ?? {};
    return position === null && holdEndsAt !== null && holdEndsAt > this.#watched.now() ? holdEndsAt : null;
  }

  /** What the page shows of an attempt that it finds, such as after a reload. */
  #restored(): Shown | null {
    if (settings.identity === "token" && visitor() === null) return awaitsToken() ? null : { code: "token_missing" };
    if (this.#attempt === null) return null;
    const { position, isMaybe } = this.#attempt;
    if (position !== null) return { code: "granted", position };
    if (this.holdEndsAt() !== null) return { code: "held" };
    return isMaybe ? { code: "no_answer" } : null;
  }

  #facts(): PurchaseFacts {
    return {
      isHoldFlow: settings.isHoldFlow,
      isKnown: settings.identity === "off" || visitor() !== null,
      canBuy: this.#canBuy,
      isOver: this.#isOver,
      isHolding: this.holdEndsAt() !== null,
      isMaybe: this.#attempt?.isMaybe === true,
      running: this.#running,
      outcome: this.#shown?.code ?? null,
    };
  }

  #press(): void {
    const { action, isAnew } = pressed(this.#facts());
    this.#attempt = attemptOf(userId(), isAnew);
    if (settings.identity === "off") rememberUser(userId());
    void this.#run(action, this.#attempt);
  }

  async #run(action: Action, made: Attempt): Promise<void> {
    if (this.#running !== null) return;
    [this.#running, this.#isRepeating, this.#shown] = [action, false, null];
    // Until the answer is here, the claim may be granted, also after a reload.
    if (action === "claim") this.#attempt = keep({ ...made, isMaybe: true });
    this.#watched.changed();
    const outcome = await sendUntilAnswered(this.#request(action, made), () => {
      this.#isRepeating = true;
      this.#watched.changed();
    });
    this.#running = null;
    this.#settle(action, made, outcome);
  }

  #request(action: Action, { userId: user, key, isMaybe }: Attempt): Sent {
    const { name } = this.#watched;
    const headers = { ...challengeHeader(), ...tokenHeader() };
    const holds = `/api/coupons/${encodeURIComponent(name)}/holds`;
    if (action === "claim") {
      const body = { user_id: user, coupon_name: name };
      const withKey = { ...headers, "Idempotency-Key": key };
      return { method: "POST", path: "/api/coupons/claim", headers: withKey, body, success: "granted", isMaybe };
    }
    if (action === "hold") {
      const body = { user_id: user, ttl_seconds: settings.holdSeconds };
      return { method: "POST", path: holds, headers, body, success: "held", isMaybe: false };
    }
    const path = `${holds}/${encodeURIComponent(user)}`;
    return { method: "DELETE", path, headers, body: null, success: "given_back", isMaybe: false };
  }

  #settle(action: Action, made: Attempt, { code, isMaybe, position, endsAt, seconds }: Outcome): void {
    const other = lastAttemptOf(made.userId);
    if (isMaybe && other !== null && other.position !== null) {
      // Another tab had the answer.
      this.#attempt = other;
      this.#shown = { code: "granted", position: other.position };
    } else {
      const holdEndsAt = code === "held" ? (endsAt ?? null) : code === "given_back" || isJudged(code) ? null : made.holdEndsAt;
      const isOpen = action === "claim" ? isMaybe : made.isMaybe;
      this.#attempt = keep({ ...made, isMaybe: isOpen, position: isGrant(code) ? (position ?? null) : null, holdEndsAt });
      this.#shown = { code, position, seconds };
    }
    if (code === "unauthorized") forgetToken();
    if (code === "challenge_failed") resetChallenge();
    const details = { ...(position === undefined ? {} : { position }), ...(endsAt === undefined ? {} : { expires_at: endsAt }) };
    tellShop({ type: "doorbuster:outcome", coupon: this.#watched.name, code, ...details });
    this.#watched.changed();
    // A reader's cursor goes to what happened, and does not stay on a button that is gone.
    part("outcome")?.focus();
  }

  render({ canBuy, tone }: SaleView): void {
    this.#isOver = tone === "over";
    this.#expire(canBuy);
    const [holdEndsAt, facts] = [this.holdEndsAt(), this.#facts()];
    const { label, canGiveBack, asksWho, isMine } = purchaseView(facts);
    sale.dataset["mine"] = isMine ? "yes" : "no";
    this.#renderOutcome();
    show("hold-clock", holdEndsAt !== null);
    if (holdEndsAt !== null) writeTimer("hold-timer", holdEndsAt - this.#watched.now());
    show("main-button", label !== null);
    if (label !== null) write("main-button", this.#isRepeating && facts.running !== null ? "Still trying…" : label);
    show("second-button", canGiveBack);
    for (const id of ["main-button", "second-button"]) part(id)?.setAttribute("aria-disabled", String(facts.running !== null));
    show("ask", asksWho);
    show("who", facts.isKnown && (isMine || settings.identity === "token"));
    write("who-name", userId());
  }

  #renderOutcome(): void {
    show("outcome", this.#shown !== null);
    if (this.#shown === null) return;
    const { code, ...details } = this.#shown;
    const { tone, headline, sentence, next } = outcomeView(code, { ...details, amount: this.#watched.amount() });
    part("outcome")?.setAttribute("data-tone", tone);
    write("outcome-headline", headline);
    write("outcome-sentence", sentence);
    write("outcome-next", next);
  }

  /** Ends what time has made untrue: a refusal by a state that is over, and a hold that has run out. */
  #expire(canBuy: boolean): void {
    if (canBuy && !this.#canBuy && this.#shown !== null && isPast(this.#shown.code)) this.#shown = null;
    this.#canBuy = canBuy;
    const { holdEndsAt = null, position = null } = this.#attempt ?? {};
    if (this.#attempt === null || holdEndsAt === null || position !== null || this.holdEndsAt() !== null || this.#running !== null) return;
    this.#attempt = keep({ ...this.#attempt, holdEndsAt: null });
    this.#shown = { code: "hold_expired" };
  }
}
