// The fields of a webhook: its address, and which messages it gets.

import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

import { WEBHOOK_EVENTS, WHEN_SENT, type WebhookEvent } from "../../../domain/webhook-events.ts";
import { Field } from "./ui.tsx";
import { namesHint, type Outcome, type WebhookForm } from "./webhook.ts";

export type WebhookFieldsProps = {
  readonly form: WebhookForm;
  readonly faults: Outcome["faults"];
  readonly onChange: (part: Partial<WebhookForm>) => void;
};

export function WebhookFields({ form, faults, onChange }: WebhookFieldsProps): JSX.Element {
  return (
    <>
      <Field label="Address" hint="Your server's https address. It gets a POST for each event." fault={faults.url}>
        {(attributes) => (
          <input
            {...attributes}
            inputMode="url"
            autocomplete="off"
            spellcheck={false}
            placeholder="https://shop.example/webhooks"
            value={form.url}
            onInput={(event) => onChange({ url: event.currentTarget.value })}
          />
        )}
      </Field>
      <Choice legend="Events" all="All events" value={form.eventChoice} onChange={(eventChoice) => onChange({ eventChoice })}>
        <EventChecks chosen={form.events} fault={faults.events} onChange={(events) => onChange({ events })} />
      </Choice>
      <Choice legend="Sales" all="All, also later ones" value={form.couponChoice} onChange={(couponChoice) => onChange({ couponChoice })}>
        <Field label="Names of sales" hint={namesHint(form.coupons)} fault={faults.coupons}>
          {(attributes) => (
            <textarea
              {...attributes}
              rows={4}
              spellcheck={false}
              value={form.coupons}
              onInput={(event) => onChange({ coupons: event.currentTarget.value })}
            />
          )}
        </Field>
      </Choice>
    </>
  );
}

type ChoiceProps = {
  readonly legend: string;
  readonly all: string;
  readonly value: "all" | "some";
  readonly onChange: (value: "all" | "some") => void;
  readonly children: ComponentChildren;
};

/** All, or those of the list below. */
function Choice({ legend, all, value, onChange, children }: ChoiceProps): JSX.Element {
  const name = useId();
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div class="choices">
        <label>
          <input type="radio" name={name} checked={value === "all"} onChange={() => onChange("all")} />
          {all}
        </label>
        <label>
          <input type="radio" name={name} checked={value === "some"} onChange={() => onChange("some")} />
          Only these
        </label>
      </div>
      {value === "some" ? children : null}
    </fieldset>
  );
}

type ChecksProps = {
  readonly chosen: readonly WebhookEvent[];
  readonly fault: string | undefined;
  readonly onChange: (chosen: readonly WebhookEvent[]) => void;
};

function EventChecks({ chosen, fault, onChange }: ChecksProps): JSX.Element {
  const id = useId();
  const toggle = (event: WebhookEvent): void =>
    onChange(WEBHOOK_EVENTS.filter((one) => (one === event ? !chosen.includes(one) : chosen.includes(one))));
  return (
    <>
      <ul class="checks">
        {WEBHOOK_EVENTS.map((event) => (
          <li key={event}>
            <label>
              <input
                type="checkbox"
                checked={chosen.includes(event)}
                aria-invalid={fault !== undefined}
                aria-describedby={fault === undefined ? undefined : id}
                onChange={() => toggle(event)}
              />
              <span>
                <span class="code">{event}</span>
                <span class="hint">{WHEN_SENT[event]}</span>
              </span>
            </label>
          </li>
        ))}
      </ul>
      {fault === undefined ? null : (
        <p class="fault" id={id}>
          {fault}
        </p>
      )}
    </>
  );
}
