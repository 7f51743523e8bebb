// The form that creates a sale, with a preview in words.

import type { JSX, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { newKey } from "./_key.ts";
import { call } from "./console/api.ts";
import { TIME_ZONE } from "./console/format.ts";
import { useNow } from "./console/live.ts";
import * as rules from "./console/new-sale.ts";
import { MoreFields, StockFields, TextFields, WindowFields } from "./console/new-sale-fields.tsx";
import { ConsolePage, Fault, mount, notifyNext } from "./console/ui.tsx";

const NO_OUTCOME: rules.Outcome = { faults: {}, error: null, isLost: false };

const DRAFT = "doorbuster:new-sale";

/** Returns the form that was kept when the session ended, once. */
function takeDraft(): rules.SaleForm {
  const draft = sessionStorage.getItem(DRAFT);
  sessionStorage.removeItem(DRAFT);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this page alone writes it
  return draft === null ? rules.EMPTY_FORM : { ...rules.EMPTY_FORM, ...(JSON.parse(draft) as rules.SaleForm) };
}

/** What the form shows for the last request. The first faulty field gets the focus. */
function useOutcome(fields: RefObject<HTMLFormElement | null>): {
  readonly outcome: rules.Outcome;
  readonly judge: (judged: rules.Outcome) => void;
  /** Removes what was about the fields of `part`. */
  readonly correct: (part: Partial<rules.SaleForm>) => void;
} {
  const [outcome, setOutcome] = useState(NO_OUTCOME);
  const [judgedCount, setJudgedCount] = useState(0);
  // After each answer, and not after each key: a corrected field must not lose the focus to the next faulty one.
  useEffect(() => fields.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [judgedCount]);
  return {
    outcome,
    judge(judged) {
      setOutcome(judged);
      setJudgedCount((before) => before + 1);
    },
    correct(part) {
      const rest = Object.entries(outcome.faults).filter(([field]) => !(field in part));
      setOutcome({ ...NO_OUTCOME, faults: Object.fromEntries(rest) });
    },
  };
}

function NewSale(): JSX.Element {
  const [form, setForm] = useState(takeDraft);
  const [isSending, setSending] = useState(false);
  const attempt = useRef<rules.Attempt | null>(null);
  const fields = useRef<HTMLFormElement>(null);
  const { outcome, judge, correct } = useOutcome(fields);
  const now = useNow(1_000);
  const { faults, error, isLost } = outcome;

  function change(part: Partial<rules.SaleForm>): void {
    setForm((before) => ({ ...before, ...part }));
    correct(part);
  }

  async function create(event: Event): Promise<void> {
    event.preventDefault();
    if (isSending) return;
    const { body, faults: found } = rules.requestOf(form, TIME_ZONE);
    if (Object.keys(found).length > 0) return judge({ ...NO_OUTCOME, faults: found });
    attempt.current = rules.attemptOf(body, attempt.current, newKey);
    setSending(true);
    const answer = await call("/api/coupons", { method: "POST", body, headers: { "Idempotency-Key": attempt.current.key } });
    setSending(false);
    if (!answer.ok) {
      if (answer.status === 401) sessionStorage.setItem(DRAFT, JSON.stringify(form));
      return judge(rules.outcomeOf(answer));
    }
    notifyNext(`The sale is created. ${rules.previewOf(form, Date.now(), TIME_ZONE).sentence}`);
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
