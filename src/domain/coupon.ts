// A coupon: its facts, and what follows from them.

/** An instant, in milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** The half-open sale window `[startsAt, endsAt)`. Null means that it has no such end. */
export type SaleWindow = {
  readonly startsAt: Instant | null;
  readonly endsAt: Instant | null;
};

/** What the page of a sale shows, exactly as the operator gave it. A text is null until it is set. */
export type Texts = {
  readonly title: string | null;
  readonly description: string | null;
  /** A path of this server. */
  readonly imageUrl: string | null;
};

/** What an operator sets and can change later. */
export type Settings = SaleWindow &
  Texts & {
    readonly amount: number;
    /** Longest time that a unit may be held, in seconds. */
    readonly holdSecondsMax: number;
    /** Most holds that may run at once. Null means that only the stock limits them. */
    readonly holdsMax: number | null;
  };

/** What an operator can change, the pause included. */
export type Changeable = Settings & { readonly paused: boolean };

/** Every field of {@link Changeable} with its name in the API, in the tables and in the ledger. */
export const SETTING_NAMES = {
  amount: "amount",
  startsAt: "starts_at",
  endsAt: "ends_at",
  paused: "paused",
  holdSecondsMax: "hold_seconds_max",
  holdsMax: "holds_max",
  title: "title",
  description: "description",
  imageUrl: "image_url",
} as const satisfies Record<keyof Changeable, string>;

// The compiler can't follow a renaming. The first signature of `named` and `unnamed` says what they return.
type Names = typeof SETTING_NAMES;
type FieldOf<Name> = { [Field in keyof Names]: Names[Field] extends Name ? Field : never }[keyof Names];
export type Named<T> = { [Field in keyof T as Field extends keyof Names ? Names[Field] : never]: T[Field] };
type Unnamed<T> = { [Name in keyof T as FieldOf<Name>]: Exclude<T[Name], undefined> };

/** Returns the settings of a coupon by their {@link SETTING_NAMES}. */
export function named(coupon: Changeable): Named<Changeable>;
export function named(coupon: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(SETTING_NAMES).map(([field, name]) => [name, coupon[field]]));
}

/** Returns the fields for {@link SETTING_NAMES}. Leaves out what is absent, and what is no setting. */
export function unnamed<T extends object>(settings: T): Unnamed<T>;
export function unnamed(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = Object.entries(SETTING_NAMES).map(([field, name]) => [field, settings[name]] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** Returns the settings of a coupon without its other facts. */
export function settingsOf(coupon: Changeable): Changeable {
  return unnamed(named(coupon));
}

/** Whether two coupons have the same settings. */
export function hasSameSettings(a: Changeable, b: Changeable): boolean {
  const [left, right] = [named(a), named(b)];
  return Object.values(SETTING_NAMES).every((name) => left[name] === right[name]);
}

/** What an operator sets to create a coupon. */
export type NewCoupon = Settings & { readonly name: string };

/** A coupon without its claims and holds. */
export type Coupon = NewCoupon & {
  /** Units that users have claimed. */
  readonly claimed: number;
  /** Units in running holds. */
  readonly held: number;
  readonly paused: boolean;
  /** When the operator closed the sale for good. Null before that. */
  readonly archivedAt: Instant | null;
  /** The position of the last grant, 0 before the first. A position is never used twice. */
  readonly lastPosition: number;
  /** The ledger's head: the seq of the last event. */
  readonly seq: number;
  readonly createdAt: Instant;
  /** Distinguishes this coupon from a deleted one of the same name. */
  readonly epoch: string;
  /** The latest instant that the coupon has acted at. Its time never goes back behind it. */
  readonly clockAt: Instant;
  /**
   * No hold expires before this instant. Null while nothing is held. It is a lower bound: the hold that set
   * it may have become a claim or been released.
   */
  readonly nextExpiryAt: Instant | null;
};

/** What the state of a sale follows from. */
export type Sale = Changeable & Pick<Coupon, "claimed" | "held" | "archivedAt">;

/** The states of a sale. If several apply, the first one is shown. */
export const SALE_STATES = ["archived", "ended", "scheduled", "paused", "sold_out", "open"] as const;
export type SaleState = (typeof SALE_STATES)[number];

/** Returns the units that can still be claimed. Never negative. */
export function remaining(coupon: Pick<Sale, "amount" | "claimed" | "held">): number {
  return coupon.amount - coupon.claimed - coupon.held;
}

/** Returns the number of revoked claims: a grant takes a new position, and only a revoke lowers `claimed`. */
export function revokedCount(coupon: Coupon): number {
  return coupon.lastPosition - coupon.claimed;
}

/** Returns whether `now` is before, within or after the sale window. Pauses and stock do not matter. */
export function windowPhase({ startsAt, endsAt }: SaleWindow, now: Instant): "before" | "within" | "after" {
  if (endsAt !== null && now >= endsAt) return "after";
  return startsAt !== null && now < startsAt ? "before" : "within";
}

/** Returns the state of the sale at `now`. If several apply, returns the first in {@link SALE_STATES}. */
export function saleState(coupon: Sale, now: Instant): SaleState {
  if (coupon.archivedAt !== null) return "archived";
  const phase = windowPhase(coupon, now);
  if (phase === "after") return "ended";
  if (phase === "before") return "scheduled";
  if (coupon.paused) return "paused";
  if (remaining(coupon) === 0) return "sold_out";
  return "open";
}

/** Returns the next instant after `now` at which time alone may change the coupon, or Infinity. */
export function unchangedUntil({ startsAt, endsAt, nextExpiryAt }: Coupon, now: Instant): Instant {
  return Math.min(...[startsAt, endsAt, nextExpiryAt].map((at) => (at !== null && at > now ? at : Infinity)));
}
