// Draws the calls of clients about one coupon. Few users and few keys make calls meet.

import { TEXTS, type Settings } from "../model/settings.ts";
import type { Call } from "../model/types.ts";
import type { Random } from "../random.ts";

/** What all clients of a history know. */
export type Memory = {
  /** Keys in use, each with its user. */
  readonly keys: { readonly userId: string; readonly key: string }[];
  readonly positions: { readonly userId: string; readonly position: number }[];
  /** The count of claims with a key of their own. */
  intentions: number;
  /** Whether the last answer said that the coupon does not exist. */
  isGone: boolean;
};

/**
 * What the clients of a history do: how many users for how many units, and the percentage of each call; the
 * rest are reads.
 */
export type Profile = {
  readonly users: number;
  readonly amountMax: number;
  readonly calls: Readonly<Partial<Record<Call["kind"], number>>>;
};

export const PROFILES: readonly Profile[] = [
  {
    users: 5,
    amountMax: 5,
    calls: { claim: 38, hold: 9, give_back: 5, end_holds: 2, release: 10, change: 10, own: 9, create: 2, remove: 2 },
  },
  // A sale that sells out at once: losers come again and again.
  { users: 9, amountMax: 4, calls: { claim: 70, hold: 12, change: 3, release: 2, own: 5 } },
  // A checkout: units are held, released, and left to expire.
  { users: 8, amountMax: 15, calls: { claim: 28, hold: 38, give_back: 10, end_holds: 3, holds: 3, release: 2, change: 4, own: 6 } },
  // A closed sale with many users: the operator pauses, moves the window, and changes the amount.
  { users: 20, amountMax: 5, calls: { claim: 66, hold: 10, change: 14, release: 5, end_holds: 1, remove: 1 } },
];

/** Draws the next call. */
export function drawCall(random: Random, profile: Profile, memory: Memory): Call {
  const { below, pick } = random;
  const userId = `u${1 + below(profile.users)}`;
  if (memory.isGone && below(2) === 0) return drawCreate(random, profile);
  const kind = drawKind(random, profile);
  switch (kind) {
    case "claim":
      return drawClaim(random, memory, userId);
    case "hold":
      return { kind: "hold", userId, ttlMs: 1_000 * pick([1, 1, 1, 2, 60]) };
    case "give_back":
      return { kind: "give_back", userId };
    case "end_holds":
    case "holds":
      return { kind };
    case "release":
      return drawRelease(random, memory, userId);
    case "change":
      return { kind: "change", ...drawSettings(random, profile) };
    case "own":
      return { kind: "own", userId };
    case "create":
      return drawCreate(random, profile);
    case "remove":
      return { kind: "remove" };
    default:
      return { kind: "read" };
  }
}

function drawKind({ below }: Random, { calls }: Profile): Call["kind"] {
  let dice = below(100);
  for (const [kind, percent] of Object.entries(calls)) {
    dice -= percent;
    if (dice < 0) return kind as Call["kind"];
  }
  return "read";
}

/** Draws a creation, sometimes with limits for holds. */
export function drawCreate({ below, pick }: Random, { amountMax }: Profile): Call {
  const limits = pick<Partial<Omit<Settings, "paused">>>([{}, {}, { holdSecondsMax: 30 }, { holdsMax: 1 + below(2) }, pick(TEXTS)]);
  return { kind: "create", amount: 1 + below(amountMax), startsAt: null, endsAt: null, ...limits };
}

/** Draws a claim: mostly with a new key, sometimes a late repetition, another user's key, or no key. */
function drawClaim({ below, pick }: Random, memory: Memory, userId: string): Call {
  const dice = below(10);
  if (dice === 0) return { kind: "claim", userId, key: null };
  if (dice < 4 && memory.keys.length > 0) {
    const known = pick(memory.keys);
    return { kind: "claim", userId: dice === 1 ? userId : known.userId, key: known.key };
  }
  memory.intentions += 1;
  const key = `k${memory.intentions}`;
  memory.keys.push({ userId, key });
  return { kind: "claim", userId, key };
}

/** Draws a revoke, with a known position where there is one: the Worker repeats only that by itself. */
function drawRelease({ below, pick }: Random, { positions }: Memory, userId: string): Call {
  if (positions.length === 0 || below(3) === 0) return { kind: "release", userId, position: null };
  return { kind: "release", ...pick(positions) };
}

function drawSettings({ below, pick }: Random, { amountMax }: Profile): Partial<Settings> {
  return pick<() => Partial<Settings>>([
    () => ({ amount: 1 + below(amountMax) }),
    () => ({ amount: 1 + below(amountMax) }),
    // A sale that is closed for long shows little, so it is opened more often.
    () => ({ paused: below(3) === 0 }),
    () => ({ startsAt: below(3) === 0 ? null : Date.now() - 50 + below(700) }),
    () => ({ endsAt: below(3) === 0 ? null : Date.now() - 100 + below(1_000) }),
    () => ({ startsAt: null, endsAt: null, paused: false }),
    () => ({ startsAt: null, endsAt: null, paused: false }),
    () => ({ holdSecondsMax: pick([1, 30, 900]) }),
    () => ({ holdsMax: pick([null, 1, 2]) }),
    () => pick(TEXTS),
  ])();
}
