// The actions that change the settings of a sale: pause, restock, window and texts.

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { call, couponPath } from "../api.ts";
import { TIME_ZONE, units } from "../format.ts";
import { EMPTY_FORM, faultSentences, integerIn, previewOf, type Faults, type SaleForm } from "../new-sale.ts";
import { TextFields, WindowFields } from "../new-sale-fields.tsx";
import { Action, Field } from "../ui.tsx";
import { capital, leftIn, restockOf, stateSentence, type Coupon } from "./coupon.ts";
import { textsForm, textsOf, windowForm, windowOf } from "./settings-forms.ts";
import { useSeen, type SaleProps } from "./parts.ts";

/** The button that pauses a sale, or resumes it. */
export function PauseAction({ coupon, refresh }: SaleProps): JSX.Element {
  const { paused, name } = coupon;
  // An open dialog does what it says, also if another operator has paused or resumed meanwhile.
  const [isPause, setPause] = useState(!paused);
  return (
    <Action
      label={paused ? "Resume" : "Pause"}
      isPrimary={paused}
      onOpen={() => setPause(!paused)}
      before={
        <p>
          {!isPause
            ? `Users can claim and hold again, within the sale's window: ${leftIn(coupon)}.`
            : `New users can neither claim nor hold until you resume: ${leftIn(coupon)}. Claims stay, and a user who holds a unit can still claim it.`}
        </p>
      }
      run={async () => {
        const answer = await call<Coupon>(couponPath(name), { method: "PATCH", body: { paused: isPause } });
        refresh();
        if (!answer.ok) return answer;
        return `The sale is ${isPause ? "paused" : "no longer paused"}: ${leftIn(answer.value)}.`;
      }}
    />
  );
}

/** The button that changes the number of units. */
export function RestockAction(props: SaleProps): JSX.Element {
  const { seen, open, send } = useSeen(props);
  const [typed, setTyped] = useState("");
  const { amount, sentence } = restockOf(seen, integerIn(typed));
  return (
    <Action
      label="Restock"
      before={<p>The sale has {units(seen.amount)} now, claimed and held ones too. Users can claim new units at once.</p>}
      isReady={amount !== null}
      onOpen={() => {
        open();
        setTyped(String(props.coupon.amount));
      }}
      run={async () => {
        const answer = await send("", { method: "PATCH", body: { amount } });
        return answer.ok ? `The sale has ${units(answer.value.amount)} now: ${leftIn(answer.value)}.` : answer;
      }}
    >
      <Field label="Units" hint={<span role="status">{sentence}</span>}>
        {(attributes) => (
          <input
            {...attributes}
            inputMode="numeric"
            autocomplete="off"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        )}
      </Field>
    </Action>
  );
}

type FormAction = {
  readonly form: SaleForm;
  readonly faults: Faults;
  readonly onChange: (part: Partial<SaleForm>) => void;
  readonly begin: (part: Partial<SaleForm>) => void;
  readonly setFaults: (faults: Faults) => void;
};

function useForm(): FormAction {
  const [form, setForm] = useState(EMPTY_FORM);
  const [faults, setFaults] = useState<Faults>({});
  return {
    form,
    faults,
    setFaults,
    onChange(part) {
      setForm((before) => ({ ...before, ...part }));
      setFaults({});
    },
    begin(part) {
      setForm({ ...EMPTY_FORM, ...part });
      setFaults({});
    },
  };
}

/** The button that changes when a sale opens and ends. */
export function WindowAction(props: SaleProps): JSX.Element {
  const { seen, open, send } = useSeen(props);
  const { form, faults, onChange, begin, setFaults } = useForm();
  const preview = previewOf(form, props.now, TIME_ZONE);
  const { body, faults: found } = windowOf(form, seen, TIME_ZONE);
  return (
    <Action
      label="Change window"
      before={<p>Now: {stateSentence(seen, props.now)}</p>}
      isReady={Object.keys(body).length > 0 || Object.keys(found).length > 0}
      onOpen={() => {
        open();
        begin(windowForm(props.coupon, TIME_ZONE));
      }}
      run={async () => {
        setFaults(found);
        if (Object.keys(found).length > 0) return { error: "Nothing was sent." };
        const answer = await send("", { method: "PATCH", body });
        if (answer.ok) return stateSentence(answer.value, Date.now());
        setFaults(faultSentences(answer.fields));
        return answer;
      }}
    >
      <WindowFields form={form} faults={faults} onChange={onChange} />
      <div role="status">
        <p>{preview.sentence}</p>
        {preview.warnings.map((warning) => (
          <p key={warning} class="warning">
            {warning}
          </p>
        ))}
      </div>
    </Action>
  );
}

/** The button that changes what visitors see. */
export function TextsAction(props: SaleProps): JSX.Element {
  const { seen, open, send } = useSeen(props);
  const { form, faults, onChange, begin, setFaults } = useForm();
  const { body, changed } = textsOf(form, seen);
  return (
    <Action
      label="Change texts"
      before={<p>Visitors of the sale's page see the new texts the next time they load it.</p>}
      isReady={Object.keys(body).length > 0}
      onOpen={() => {
        open();
        begin(textsForm(props.coupon));
      }}
      run={async () => {
        const answer = await send("", { method: "PATCH", body });
        if (answer.ok) return `${capital(changed)}: changed.`;
        setFaults(faultSentences(answer.fields));
        return answer;
      }}
    >
      <TextFields form={form} faults={faults} onChange={onChange} />
    </Action>
  );
}
