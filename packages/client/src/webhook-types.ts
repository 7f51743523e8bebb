// The messages of webhooks. A test compares these types with the schemas of the OpenAPI document.

import type { Hold, Receipt } from "./types.ts";

/** What an operator sets. */
export type Settings = {
  readonly amount: number;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
  readonly paused: boolean;
  readonly hold_seconds_max: number;
  readonly holds_max: number | null;
  readonly title: string | null;
  readonly description: string | null;
  readonly image_url: string | null;
};

/** `epoch` distinguishes coupons of the same name. `seq` is the coupon's event, or of a milestone the last one before it. */
type About = { readonly coupon_name: string; readonly epoch: string; readonly seq: number };
/** The operator who caused it; null for a user and for time. */
type ByActor = { readonly actor: string | null };
type OfUser = About & ByActor & { readonly user_id: string };
type Milestone = About & {
  readonly amount: number;
  readonly remaining_amount: number;
  readonly starts_at: string | null;
  readonly ends_at: string | null;
};
type SettingsData = About & ByActor & Settings & { readonly remaining_amount: number };

type Data = {
  readonly "claim.granted": About & ByActor & Receipt;
  readonly "claim.revoked": OfUser & { readonly position: number };
  readonly "hold.created": About & Hold;
  readonly "hold.released": OfUser;
  readonly "hold.expired": OfUser;
  readonly "coupon.created": SettingsData;
  readonly "coupon.changed": SettingsData;
  readonly "coupon.archived": About & ByActor;
  readonly "coupon.started": Milestone;
  readonly "coupon.reopened": Milestone;
  readonly "coupon.sold_out": Milestone;
  readonly "coupon.ended": Milestone;
  readonly "coupon.deleted": About & ByActor;
  readonly "webhook.test": Readonly<Record<string, never>>;
};

export type WebhookType = keyof Data;
/** The events that a webhook can subscribe to. */
export type WebhookEvent = Exclude<WebhookType, "webhook.test">;

/** One message: `switch (message.type)` narrows its data. */
export type WebhookMessage = {
  [Type in WebhookType]: { readonly type: Type; readonly timestamp: string; readonly data: Data[Type] };
}[WebhookType];
