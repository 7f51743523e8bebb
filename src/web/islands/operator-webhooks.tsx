// The webhooks: the list with its states, and what the operator does with each.

import { Fragment, type ComponentChildren, type JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { call, couponPath, type Answered, type Refused } from "./console/api.ts";
import { clock, fromNow, instant } from "./console/format.ts";
import { useNow } from "./console/live.ts";
import { useReading } from "./console/reading.ts";
import { CopyButton } from "./console/share.tsx";
import { ConsolePage, Fault, mount } from "./console/ui.tsx";
import { AddWebhook, WebhookActions, type ActionsProps, type ShownSecret } from "./console/webhook-actions.tsx";
import * as rules from "./console/webhook.ts";

const REFRESH_MS = 5_000;
/** After an action, when its deliveries have been tried. */
const SOON_MS = 1_500;
/** Failing sales of a webhook that are shown with their reasons. */
const FAILING_SHOWN_MAX = 5;

type Loaded = {
  readonly webhooks: readonly rules.Webhook[];
  readonly failing: readonly rules.Failing[];
  /** Why it is not known what fails, if it is not. */
  readonly refused: Refused | null;
};

/** Reads the webhooks and what fails. The oldest webhook is first. */
async function readWebhooks(signal: AbortSignal): Promise<Answered<Loaded>> {
  const [list, failures] = await Promise.all([
    call<{ readonly webhooks: readonly rules.Webhook[] }>("/api/webhooks", { signal }),
    call<{ readonly failing: readonly rules.Failing[] }>("/api/delivery/failing?limit=1000", { signal }),
  ]);
  if (!list.ok) return list;
  const webhooks = list.value.webhooks.toSorted((a, b) => a.created_at.localeCompare(b.created_at));
  const rest = failures.ok ? { failing: failures.value.failing, refused: null } : { failing: [], refused: failures };
  return { ...list, value: { webhooks, ...rest } };
}

function Webhooks(): JSX.Element {
  const { value, refused: unread, again } = useReading(readWebhooks, { everyMs: REFRESH_MS });
  const { webhooks, failing, refused } = value ?? { webhooks: null, failing: [], refused: null };
  const fault = unread ?? refused;
  const reload = (): void => {
    again();
    setTimeout(again, SOON_MS);
  };
  const [secret, setSecret] = useState<ShownSecret | null>(null);
  const add = <AddWebhook onDone={reload} onSecret={setSecret} />;
  return (
    <ConsolePage>
      <div class="head">
        <h1>Webhooks</h1>
        {webhooks === null || webhooks.length === 0 ? null : add}
      </div>
      <Fault error={fault === null ? null : `The webhooks could not be read. ${fault.error}`} />
      {webhooks?.length === 0 ? <Empty>{add}</Empty> : null}
      {(webhooks ?? []).map((webhook) => (
        <WebhookCard
          key={webhook.id}
          webhook={webhook}
          failing={failing.filter(({ sink }) => sink === webhook.id)}
          onDone={reload}
          onSecret={setSecret}
        />
      ))}
      {secret === null ? null : <SecretDialog {...secret} onClose={() => setSecret(null)} />}
    </ConsolePage>
  );
}

function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="card">
      <h2>Tell your own systems what happens</h2>
      <p>
        A webhook is an address of your server. Doorbuster sends it a signed message for each event of a sale.
        <br />
        For example, <span class="code">claim.granted</span> starts an order, and <span class="code">coupon.sold_out</span> changes the
        shop.
        <br />
        A message that your server does not take is sent again for three days, so none is lost while it restarts.
      </p>
      <p>
        <a href="/docs">All messages and how to check their signatures</a>
      </p>
      {children}
    </div>
  );
}

type CardProps = Omit<ActionsProps, "onTested"> & { readonly failing: readonly rules.Failing[] };
type Tested = { readonly sentence: string; readonly at: number };

function WebhookCard({ webhook, failing, ...actions }: CardProps): JSX.Element {
  const { id, url, events, coupons, created_at: createdAt } = webhook;
  const [tested, setTested] = useState<Tested | null>(null);
  const state = rules.stateOf(webhook, failing, instant);
  return (
    <section class="card" aria-labelledby={id}>
      <div class="head">
        <h2 id={id} class="address">
          <bdi class="code">{url}</bdi>
        </h2>
        <span class={`state ${state.label}`}>{state.label}</span>
      </div>
      {state.meaning === null ? null : <p>{state.meaning}</p>}
      {failing.length === 0 ? null : <FailingSales failing={failing} />}
      <dl class="facts">
        <dt>Events</dt>
        <dd>{rules.eventsText(events)}</dd>
        <dt>Sales</dt>
        <dd>{coupons === null ? "All, also later ones" : <SaleLinks names={coupons} />}</dd>
        <dt>Added</dt>
        <dd>{instant(createdAt)}</dd>
        {tested === null ? null : (
          <>
            <dt>Test</dt>
            <dd>
              At {clock(tested.at)}: {tested.sentence}
            </dd>
          </>
        )}
      </dl>
      <WebhookActions
        {...actions}
        webhook={webhook}
        isFailing={failing.length > 0}
        onTested={(sentence) => setTested({ sentence, at: Date.now() })}
      />
    </section>
  );
}

function SaleLink({ name }: { readonly name: string }): JSX.Element {
  return (
    <a href={`/operator/sales/${encodeURIComponent(name)}`}>
      <bdi>{name}</bdi>
    </a>
  );
}

function SaleLinks({ names }: { readonly names: readonly string[] }): JSX.Element {
  return (
    <>
      {names.map((name, index) => (
        <Fragment key={name}>
          {index === 0 ? "" : ", "}
          <SaleLink name={name} />
        </Fragment>
      ))}
    </>
  );
}

function FailingSales({ failing }: { readonly failing: readonly rules.Failing[] }): JSX.Element {
  const hiddenCount = failing.length - FAILING_SHOWN_MAX;
  return (
    <ul class="small">
      {failing.slice(0, FAILING_SHOWN_MAX).map((one) => (
        <FailingSale key={one.coupon_name} failing={one} />
      ))}
      {hiddenCount > 0 ? <li>And {rules.sales(hiddenCount)} more.</li> : null}
    </ul>
  );
}

function FailingSale({ failing }: { readonly failing: rules.Failing }): JSX.Element {
  const { coupon_name: name, sink: id, status, failed_attempts: attempts } = failing;
  const [sink, setSink] = useState<rules.Sink | null>(null);
  const now = useNow(1_000);
  useEffect(() => {
    const abort = new AbortController();
    async function load(): Promise<void> {
      const answer = await call<{ readonly sinks: readonly rules.Sink[] }>(couponPath(name, "/delivery"), { signal: abort.signal });
      if (answer.ok) setSink(answer.value.sinks.find((one) => one.sink === id) ?? null);
    }
    void load();
    return () => abort.abort();
  }, [name, id, status, attempts]);
  return (
    <li>
      <SaleLink name={name} />: {rules.failingSentence(failing, sink, (at) => fromNow(at, now))}
    </li>
  );
}

/** Shows a secret, once. */
function SecretDialog({ url, secret, until, onClose }: ShownSecret & { readonly onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="secret-title" onClose={onClose}>
      <h2 id="secret-title">Store this secret now</h2>
      <p>
        It is shown this once. With it, your server checks that the messages to <bdi class="code">{url}</bdi> come from here and are
        unchanged. If you lose it, rotate it.
      </p>
      <p class="secret code">{secret}</p>
      <p>
        <CopyButton text={secret} label="Copy the secret" />
      </p>
      {until === null ? null : <p>The earlier secret signs too until {instant(until)}. Give your server the new one before.</p>}
      <div class="buttons">
        <button type="button" class="primary" onClick={() => dialog.current?.close()}>
          I have stored it
        </button>
      </div>
    </dialog>
  );
}

mount(<Webhooks />);
