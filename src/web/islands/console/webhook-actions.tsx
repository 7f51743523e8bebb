// What the operator does with a webhook: add, test, pause, change, rotate, replay and delete.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { newKey } from "../_key.ts";
import { call, type Refused } from "./api.ts";
import { instant } from "./format.ts";
import { attemptOf, type Attempt } from "./new-sale.ts";
import { Action, Field, type Happened } from "./ui.tsx";
import { WebhookFields } from "./webhook-form.tsx";
import * as rules from "./webhook.ts";

/** A secret that an answer has shown. `until`: when the one before ends to sign; null if there is none. */
export type ShownSecret = { readonly url: string; readonly secret: string; readonly until: string | null };
type Created = rules.Webhook & { readonly secret: string };
type Rotated = Created & { readonly previous_secret_expires_at: string };

export type ActionsProps = {
  readonly webhook: rules.Webhook;
  /** Reads the list again. */
  readonly onDone: () => void;
  readonly onSecret: (secret: ShownSecret) => void;
  readonly onTested: (sentence: string) => void;
};

const FAULTY = { error: "Correct the fields that are marked." };

type Form = {
  readonly form: rules.WebhookForm;
  readonly fields: JSX.Element;
  readonly reset: (to: rules.WebhookForm) => void;
  readonly refuse: (refused: Refused, retry: string) => { readonly error: string };
};

/** A form of a webhook, with the faults that the API finds. */
function useForm(initial: rules.WebhookForm): Form {
  const [form, setForm] = useState(initial);
  const [faults, setFaults] = useState<rules.Outcome["faults"]>({});
  const [refusedCount, setRefusedCount] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [refusedCount]);

  const change = (part: Partial<rules.WebhookForm>): void => {
    setForm((before) => ({ ...before, ...part }));
    setFaults((before) => Object.fromEntries(Object.entries(before).filter(([field]) => !(field in part))));
  };
  const reset = (to: rules.WebhookForm): void => {
    setForm(to);
    setFaults({});
  };
  const refuse = (refused: Refused, retry: string): { readonly error: string } => {
    const outcome = rules.outcomeOf(refused, form, retry);
    setFaults(outcome.faults);
    setRefusedCount((before) => before + 1);
    return outcome.error === null ? FAULTY : { error: outcome.error };
  };
  const fields = (
    <div ref={box}>
      <WebhookFields form={form} faults={faults} onChange={change} />
    </div>
  );
  return { form, fields, reset, refuse };
}

export function AddWebhook({ onDone, onSecret }: Pick<ActionsProps, "onDone" | "onSecret">): JSX.Element {
  const { form, fields, reset, refuse } = useForm(rules.EMPTY_FORM);
  const attempt = useRef<Attempt | null>(null);

  async function add(): Promise<Happened> {
    const body = rules.settingsOf(form);
    attempt.current = attemptOf(body, attempt.current, newKey);
    const headers = { "Idempotency-Key": attempt.current.key };
    const answer = await call<Created>("/api/webhooks", { method: "POST", body, headers });
    if (!answer.ok) return refuse(answer, rules.CREATE_AGAIN);
    // A second webhook with the same settings is another one.
    attempt.current = null;
    reset(rules.EMPTY_FORM);
    onSecret({ url: answer.value.url, secret: answer.value.secret, until: null });
    onDone();
    return "The webhook is added. It gets the events from now on.";
  }

  return (
    <Action
      label="Add a webhook"
      isPrimary
      before={<p>The address gets the events from now on. You then get a secret, with which your server checks each message.</p>}
      run={add}
    >
      {fields}
    </Action>
  );
}

function TestWebhook({ webhook, onTested }: ActionsProps): JSX.Element {
  async function test(): Promise<Happened> {
    const answer = await call<rules.TestAnswer>(`/api/webhooks/${webhook.id}/test`, { method: "POST" });
    if (!answer.ok) return { error: answer.status === 0 ? "No answer arrived. Try again: a test changes nothing." : answer.error };
    const sentence = rules.testSentence(answer.value);
    onTested(sentence);
    return answer.value.delivered ? `Test: ${sentence}` : { failed: `Test: ${sentence}` };
  }
  return (
    <Action
      label="Send a test"
      before={
        <p>
          Sends one signed message <span class="code">webhook.test</span> at once, also while the webhook is paused. You see what the
          endpoint answers within 10 seconds.
        </p>
      }
      run={test}
    />
  );
}

/** Pauses, or starts again what is paused, disabled or failing. */
function SwitchWebhook({ webhook, onDone, isFailing }: ActionsProps & { readonly isFailing: boolean }): JSX.Element {
  const isOff = webhook.paused || webhook.disabled_at !== null;
  async function set(paused: boolean): Promise<Happened> {
    const answer = await call(`/api/webhooks/${webhook.id}`, { method: "PATCH", body: { paused } });
    if (!answer.ok) return { error: answer.status === 0 ? rules.CHANGE_AGAIN : answer.error };
    onDone();
    return paused ? "Paused. Its messages wait." : "Active. What it has missed is on its way.";
  }
  const pause = (
    <Action
      label="Pause"
      before={
        <p>
          Nothing is sent to it from now on. Its messages wait, and it gets them once you resume it. A sale that you delete meanwhile sends
          it nothing more.
        </p>
      }
      run={() => set(true)}
    />
  );
  if (!isOff && !isFailing) return pause;
  const label = webhook.disabled_at !== null ? "Enable" : webhook.paused ? "Resume" : "Try again";
  return (
    <>
      <Action
        label={label}
        before={<p>What it has missed is sent at once, in the order of each sale's events.</p>}
        run={() => set(false)}
      />
      {isOff ? null : pause}
    </>
  );
}

function ChangeWebhook({ webhook, onDone }: ActionsProps): JSX.Element {
  const { form, fields, reset, refuse } = useForm(rules.formOf(webhook));
  const opened = useRef(webhook);

  async function change(): Promise<Happened> {
    const body = rules.changesOf(form, opened.current);
    if (Object.keys(body).length === 0) return "Nothing was changed.";
    const answer = await call(`/api/webhooks/${webhook.id}`, { method: "PATCH", body });
    if (!answer.ok) return refuse(answer, rules.CHANGE_AGAIN);
    onDone();
    return "The webhook is changed.";
  }
  return (
    <Action
      label="Change"
      confirm="Save"
      before={<p>The change counts for messages that are not delivered yet. The secret stays.</p>}
      onOpen={() => {
        opened.current = webhook;
        reset(rules.formOf(webhook));
      }}
      run={change}
    >
      {fields}
    </Action>
  );
}

function RotateSecret({ webhook, onDone, onSecret }: ActionsProps): JSX.Element {
  async function rotate(): Promise<Happened> {
    const answer = await call<Rotated>(`/api/webhooks/${webhook.id}/rotate`, { method: "POST" });
    if (!answer.ok)
      return {
        error: answer.status === 0 ? "No answer arrived. Rotate again: the earlier secrets keep signing for 24 hours." : answer.error,
      };
    const { secret, previous_secret_expires_at: until } = answer.value;
    onSecret({ url: webhook.url, secret, until });
    onDone();
    return `The secret is rotated. The earlier one signs too until ${instant(until)}.`;
  }
  return (
    <Action
      label="Rotate secret"
      confirm="Rotate"
      before={
        <p>
          Makes a new secret, and shows it once. For 24 hours each message is signed with both, so that your server loses none. After that
          the earlier secret is worthless.
        </p>
      }
      run={rotate}
    />
  );
}

function ReplayEvents({ webhook }: ActionsProps): JSX.Element {
  const [coupon, setCoupon] = useState("");
  const [from, setFrom] = useState("1");
  const [faults, setFaults] = useState<rules.ReplayFaults>({});

  async function replay(): Promise<Happened> {
    setFaults({});
    const query = new URLSearchParams({ coupon, from_seq: from.trim() });
    const answer = await call(`/api/webhooks/${webhook.id}/replay?${query}`, { method: "POST" });
    if (answer.ok) return `The events of “${coupon}” from number ${from.trim()} on are on their way.`;
    const found = rules.replayFaults(answer);
    setFaults(found);
    if (Object.keys(found).length > 0) return FAULTY;
    return { error: answer.status === 0 ? "No answer arrived. Try again: receivers ignore what they have." : answer.error };
  }
  return (
    <Action
      label="Replay"
      before={
        <p>
          Sends a sale's events again, in their order. Each message has the same <span class="code">webhook-id</span> as before, so a server
          that ignores repeated ids does nothing twice.
        </p>
      }
      onOpen={() => {
        setCoupon(webhook.coupons?.[0] ?? "");
        setFrom("1");
        setFaults({});
      }}
      run={replay}
    >
      <Field label="Name of the sale" fault={faults.coupon} hint="As in the list of sales">
        {(attributes) => (
          <input
            {...attributes}
            autocomplete="off"
            spellcheck={false}
            value={coupon}
            onInput={(event) => setCoupon(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label="From event number" fault={faults.from} hint="1 is the first event of the sale. Messages have it as data.seq.">
        {(attributes) => <input {...attributes} inputMode="numeric" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />}
      </Field>
    </Action>
  );
}

function DeleteWebhook({ webhook, onDone }: ActionsProps): JSX.Element {
  async function remove(): Promise<Happened> {
    const answer = await call(`/api/webhooks/${webhook.id}`, { method: "DELETE" });
    // A repeated request, or a colleague, has found it first.
    if (!answer.ok && answer.code !== "webhook_not_found")
      return { error: answer.status === 0 ? "No answer arrived. Try again: nothing is deleted twice." : answer.error };
    onDone();
    return `The webhook to ${webhook.url} is deleted.`;
  }
  return (
    <Action
      label="Delete"
      isDanger
      before={
        <>
          <p>
            Deletes the webhook to <bdi class="code">{webhook.url}</bdi> and its secret. Messages that are not delivered yet are lost.
          </p>
          <p>To keep them, pause it instead.</p>
        </>
      }
      run={remove}
    />
  );
}

export function WebhookActions(props: ActionsProps & { readonly isFailing: boolean }): JSX.Element {
  return (
    <div class="buttons">
      <TestWebhook {...props} />
      <SwitchWebhook {...props} />
      <ChangeWebhook {...props} />
      <ReplayEvents {...props} />
      <RotateSecret {...props} />
      <DeleteWebhook {...props} />
    </div>
  );
}
