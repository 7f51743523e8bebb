// The forms of a sale's window and texts: what they show first, and what they send.

import { EMPTY_FORM, timeFault, type Faults, type SaleForm } from "../new-sale.ts";
import { typedTime, wallTime } from "../zoned-time.ts";
import { listed, type Coupon } from "./coupon.ts";

type Window = Pick<Coupon, "starts_at" | "ends_at">;
type Texts = Pick<Coupon, "title" | "description" | "image_url">;

/** Returns the form of the window of `coupon`. */
export function windowForm({ starts_at: startsAt, ends_at: endsAt }: Window, zone: string): SaleForm {
  return {
    ...EMPTY_FORM,
    opens: startsAt === null ? "now" : "later",
    starts_at: startsAt === null ? "" : wallTime(Date.parse(startsAt), zone),
    ends: endsAt === null ? "never" : "later",
    ends_at: endsAt === null ? "" : wallTime(Date.parse(endsAt), zone),
  };
}

/** Returns the ends of the window that differ from those of `coupon`, and what is wrong with them. An untouched time keeps its seconds. */
export function windowOf(form: SaleForm, coupon: Window, zone: string): { readonly body: Partial<Window>; readonly faults: Faults } {
  const shown = windowForm(coupon, zone);
  const body: { starts_at?: string | null; ends_at?: string | null } = {};
  let faults: Faults = {};
  for (const [choice, field, off] of [
    ["opens", "starts_at", "now"],
    ["ends", "ends_at", "never"],
  ] as const) {
    if (form[choice] === shown[choice] && (form[choice] === off || form[field] === shown[field])) continue;
    const time = form[choice] === off ? null : typedTime(form[field], zone);
    faults = { ...faults, ...timeFault(field, time) };
    if (time === null) body[field] = null;
    else if (time.kind === "instant") body[field] = new Date(time.at).toISOString();
  }
  return { body, faults };
}

/** Returns the form of the texts of `coupon`. */
export function textsForm({ title, description, image_url: imageUrl }: Texts): SaleForm {
  return { ...EMPTY_FORM, title: title ?? "", description: description ?? "", image_url: imageUrl ?? "" };
}

const TEXTS = [
  ["title", "the title"],
  ["description", "the description"],
  ["image_url", "the picture"],
] as const;

/** Returns the texts that differ from those of `coupon`, and their names. An empty text is none. */
export function textsOf(form: SaleForm, coupon: Texts): { readonly body: Partial<Texts>; readonly changed: string } {
  const shown = textsForm(coupon);
  const changed = TEXTS.filter(([field]) => form[field] !== shown[field]);
  return {
    body: Object.fromEntries(changed.map(([field]) => [field, form[field] === "" ? null : form[field]])),
    changed: listed(changed.map(([, label]) => label)),
  };
}
