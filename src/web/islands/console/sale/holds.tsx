// The running holds of a sale, and the look-up of one user.

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";

import { call, couponPath, type Refused } from "../api.ts";
import { count, instant } from "../format.ts";
import { useReading } from "../reading.ts";
import { Action, Fault } from "../ui.tsx";
import { EndHoldsAction } from "./end-actions.tsx";
import type { SaleProps } from "./parts.ts";
import { duration } from "../zoned-time.ts";

type Hold = { readonly user_id: string; readonly expires_at: string };
type Claim = { readonly user_id: string; readonly position: number; readonly claimed_at: string };

type HoldPage = { readonly holds: readonly Hold[]; readonly next: string | null };

const EVERY_MS = 2_000;
const SHOWN_FIRST = 20;
const SHOWN_MAX = 1_000;

/** The holds in the order of their users. `version` changes when they may have. */
export function HoldsCard(props: SaleProps & { readonly version: string }): JSX.Element {
  const { coupon, now, version } = props;
  const [limit, setLimit] = useState(SHOWN_FIRST);
  const { value, refused } = useReading((signal) => call<HoldPage>(couponPath(coupon.name, `/holds?limit=${limit}`), { signal }), {
    everyMs: EVERY_MS,
    version: `${version} ${limit}`,
  });
  const holds = (value?.holds ?? []).filter((hold) => Date.parse(hold.expires_at) > now);
  const hasMore = (value?.next ?? null) !== null;
  return (
    <section class="card">
      <div class="head">
        <h2>Holds</h2>
        <EndHoldsAction {...props} />
      </div>
      <Fault error={refused?.error ?? null} />
      {holds.length === 0 ? <p class="muted">Nobody holds a unit.</p> : null}
      <ul class="rows">
        {holds.map((hold) => (
          <li key={hold.user_id}>
            <span>
              <bdi>{hold.user_id}</bdi> <span class="muted">{duration(Date.parse(hold.expires_at) - now)} left</span>
            </span>
            <ReleaseAction {...props} userId={hold.user_id} />
          </li>
        ))}
      </ul>
      {hasMore && limit < SHOWN_MAX ? (
        <button type="button" onClick={() => setLimit(SHOWN_MAX)}>
          Show more
        </button>
      ) : null}
      {hasMore && limit === SHOWN_MAX ? <p class="muted">There are more. Look a user up to find one.</p> : null}
    </section>
  );
}

type UserProps = SaleProps & { readonly userId: string; readonly onDone?: () => void };

function ReleaseAction({ coupon, refresh, userId, onDone }: UserProps): JSX.Element {
  return (
    <Action
      label="Release"
      before={
        <p>
          The hold of <bdi>{userId}</bdi> ends, and its unit goes back to the stock.
        </p>
      }
      run={async () => {
        const answer = await call(couponPath(coupon.name, `/holds/${encodeURIComponent(userId)}`), { method: "DELETE" });
        refresh();
        onDone?.();
        return answer.ok ? "The hold is released, and its unit went back to the stock." : answer;
      }}
    />
  );
}

type Found = { readonly claim: Claim } | { readonly hold: Hold } | { readonly none: string };

/** A form that finds the claim or the hold of a user. */
export function LookUpCard(props: SaleProps): JSX.Element {
  const { name } = props.coupon;
  const id = useId();
  const [typed, setTyped] = useState("");
  const [userId, setUserId] = useState("");
  const [found, setFound] = useState<Found | Refused | null>(null);

  async function lookUp(user: string): Promise<void> {
    setUserId(user);
    setFound(await find(name, user));
  }

  return (
    <section class="card">
      <h2>Look a user up</h2>
      <form
        class="inline"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed !== "") void lookUp(typed);
        }}
      >
        <div>
          <label for={id}>User id</label>
          <input id={id} autocomplete="off" spellcheck={false} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </div>
        <button>Look up</button>
      </form>
      <div role="status">
        {found === null ? null : <Answer {...props} userId={userId} found={found} onDone={() => void lookUp(userId)} />}
      </div>
    </section>
  );
}

async function find(name: string, userId: string): Promise<Found | Refused> {
  // A path can't carry these.
  if (userId === "." || userId === "..") return { none: userId };
  const answer = await call<Claim | Hold>(couponPath(name, `/claims/${encodeURIComponent(userId.toWellFormed())}`));
  if (!answer.ok) return answer.code === "claim_not_found" ? { none: userId } : answer;
  return "position" in answer.value ? { claim: answer.value } : { hold: answer.value };
}

function Answer(props: UserProps & { readonly found: Found | Refused }): JSX.Element {
  const { found, userId, now } = props;
  if ("none" in found) {
    return (
      <p>
        <bdi>{found.none}</bdi> has neither a claim nor a hold.
      </p>
    );
  }
  if ("claim" in found) {
    return (
      <>
        <p>
          <bdi>{userId}</bdi> has claim #{found.claim.position}, since {instant(found.claim.claimed_at)}.
        </p>
        <RevokeAction {...props} claim={found.claim} />
      </>
    );
  }
  if ("hold" in found) {
    return (
      <>
        <p>
          <bdi>{userId}</bdi> holds a unit until {instant(found.hold.expires_at)}
          {Date.parse(found.hold.expires_at) > now ? "" : ", so the hold has ended"}.
        </p>
        <ReleaseAction {...props} />
      </>
    );
  }
  return <Fault error={found.error} />;
}

function RevokeAction({ coupon, refresh, claim, onDone }: UserProps & { readonly claim: Claim }): JSX.Element {
  const { user_id: userId, position } = claim;
  const end = coupon.state === "archived" ? "Its unit is not sold again." : "Its unit goes back to the stock.";
  return (
    <Action
      label="Revoke"
      isDanger
      before={
        <p>
          Claim #{position} of <bdi>{userId}</bdi> is taken back. {end} The user can claim again while there are units.
        </p>
      }
      run={async () => {
        const path = couponPath(coupon.name, `/claims/${encodeURIComponent(userId)}?position=${position}`);
        const answer = await call<{ readonly remaining_amount: number }>(path, { method: "DELETE" });
        refresh();
        onDone?.();
        return answer.ok ? `Claim #${position} is revoked: ${count(answer.value.remaining_amount)} left.` : answer;
      }}
    />
  );
}
