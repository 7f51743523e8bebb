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

/** What is sent for one end of the window, and what is wrong with it. Undefined: it stays as it is. */
type End = { readonly at: string | null | undefined; readonly faults: Faults };

function endOf(form: SaleForm, shown: SaleForm, field: "starts_at" | "ends_at", zone: string): End {
  const isSet = (of: SaleForm): boolean => (field === "starts_at" ? of.opens === "later" : of.ends === "later");
  // A time that nobody touched keeps its seconds.
  if (isSet(form) === isSet(shown) && (!isSet(form) || form[field] === shown[field])) return { at: undefined, faults: {} };
  if (!isSet(form)) return { at: null, faults: {} };
  const time = typedTime(form[field], zone);
  return { at: time.kind === "instant" ? new Date(time.at).toISOString() : undefined, faults: timeFault(field, time) };
}

/** Returns the ends of the window that differ from those of `coupon`, and what is wrong with them. */
export function windowOf(form: SaleForm, coupon: Window, zone: string): { readonly body: Partial<Window>; readonly faults: Faults } {
  const shown = windowForm(coupon, zone);
  const [starts, ends] = [endOf(form, shown, "starts_at", zone), endOf(form, shown, "ends_at", zone)];
  return {
    body: { ...(starts.at === undefined ? {} : { starts_at: starts.at }), ...(ends.at === undefined ? {} : { ends_at: ends.at }) },
    faults: { ...starts.faults, ...ends.faults },
  };
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
