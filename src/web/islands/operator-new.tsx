// The form that creates a sale, with a preview in words.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { call } from "./console/api.ts";
import { TIME_ZONE } from "./console/format.ts";
import { useNow } from "./console/live.ts";
import * as rules from "./console/new-sale.ts";
import { MoreFields, StockFields, TextFields, WindowFields } from "./console/new-sale-fields.tsx";
import { ConsolePage, Fault, mount, notifyNext } from "./console/ui.tsx";

const NO_OUTCOME: rules.Outcome = { faults: {}, error: null, isLost: false };

function NewSale(): JSX.Element {
  const [form, setForm] = useState(rules.EMPTY_FORM);
  const [outcome, setOutcome] = useState(NO_OUTCOME);
  const [isSending, setSending] = useState(false);
  const attempt = useRef<rules.Attempt | null>(null);
  const fields = useRef<HTMLFormElement>(null);
  const now = useNow(1_000);
  const { faults, error, isLost } = outcome;

  useEffect(() => fields.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [faults]);

  function change(part: Partial<rules.SaleForm>): void {
    setForm((before) => ({ ...before, ...part }));
    const rest = Object.entries(outcome.faults).filter(([field]) => !(field in part));
    // Keeps the outcome without a fault of this field, so that the focus stays where it is.
    if (rest.length < Object.keys(faults).length || error !== null) setOutcome({ ...NO_OUTCOME, faults: Object.fromEntries(rest) });
  }

  async function create(event: Event): Promise<void> {
    event.preventDefault();
    if (isSending) return;
    const { body, faults: found } = rules.requestOf(form, TIME_ZONE);
    if (Object.keys(found).length > 0) return setOutcome({ ...NO_OUTCOME, faults: found });
    attempt.current = rules.attemptOf(body, attempt.current, () => crypto.randomUUID());
    setSending(true);
    const answer = await call("/api/coupons", { method: "POST", body, headers: { "Idempotency-Key": attempt.current.key } });
    setSending(false);
    if (!answer.ok) return setOutcome(rules.outcomeOf(answer));
    notifyNext({ text: `The sale is created. ${rules.previewOf(form, Date.now(), TIME_ZONE).sentence}`, sale: form.name });
    location.assign(`/operator/sales/${encodeURIComponent(form.name)}`);
  }

  const isMoreOpen = faults["hold_seconds_max"] !== undefined || faults["holds_max"] !== undefined;
  const parts = { form, faults, onChange: change };
  return (
    <ConsolePage>
      <h1>New sale</h1>
      <form class="columns" noValidate ref={fields} onSubmit={(event) => void create(event)}>
        <div>
          <StockFields {...parts} />
          <WindowFields {...parts} />
          <h2>What visitors see</h2>
          <TextFields {...parts} />
          <details open={isMoreOpen}>
            <summary>More settings</summary>
            <MoreFields {...parts} />
          </details>
        </div>
        <aside class="card">
          <h2>Preview</h2>
          <Preview {...rules.previewOf(form, now, TIME_ZONE)} />
          <Fault error={error} />
          <button class="primary" aria-describedby="preview" disabled={isSending}>
            {isSending ? "Creating…" : isLost ? "Try again" : "Create sale"}
          </button>
        </aside>
      </form>
    </ConsolePage>
  );
}

function Preview({ sentence, warnings }: rules.Preview): JSX.Element {
  return (
    <div id="preview">
      <p>{sentence}</p>
      {warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
    </div>
  );
}

mount(<NewSale />);
