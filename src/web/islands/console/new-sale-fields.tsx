// The fields of the form that creates a sale.

import type { ComponentChildren, InputHTMLAttributes, JSX } from "preact";

import { CITY } from "./format.ts";
import { salePath, secondsInWords, type Faults, type SaleForm } from "./new-sale.ts";
import { Field } from "./ui.tsx";

export type FieldsProps = {
  readonly form: SaleForm;
  readonly faults: Faults;
  readonly onChange: (part: Partial<SaleForm>) => void;
};

type TextField = Exclude<keyof SaleForm, "opens" | "ends">;
type TextProps = FieldsProps & {
  readonly field: TextField;
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly input?: InputHTMLAttributes;
};

function TextInput({ form, faults, onChange, field, label, hint, input = {} }: TextProps): JSX.Element {
  return (
    <Field label={label} hint={hint} fault={faults[field]}>
      {(attributes) => (
        <input
          autocomplete="off"
          {...input}
          {...attributes}
          value={form[field]}
          onInput={(event) => onChange({ [field]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

/** What the sale is called, and how many units it has. */
export function StockFields(props: FieldsProps): JSX.Element {
  const { form } = props;
  const address = form.name === "" ? null : `${location.origin}${salePath(form.name)}`;
  return (
    <>
      <TextInput
        {...props}
        field="name"
        label="Name"
        hint={
          <>
            In addresses and exports; it can't be changed later.
            {address === null ? null : (
              <>
                {" "}
                The sale's page will be <span class="code">{address}</span>
              </>
            )}
          </>
        }
        input={{ spellcheck: false, required: true }}
      />
      <TextInput
        {...props}
        field="amount"
        label="Units"
        hint="Each user can claim one. You can restock later."
        input={{ inputMode: "numeric", required: true }}
      />
    </>
  );
}

/** What the sale's page shows. */
export function TextFields(props: FieldsProps): JSX.Element {
  const { form, faults, onChange } = props;
  return (
    <>
      <TextInput {...props} field="title" label="Title (optional)" hint="What visitors read first. Without one they see the name." />
      <Field label="Description (optional)" hint="Plain text; line breaks stay." fault={faults["description"]}>
        {(attributes) => (
          <textarea
            rows={3}
            {...attributes}
            value={form.description}
            onInput={(event) => onChange({ description: event.currentTarget.value })}
          />
        )}
      </Field>
      <TextInput
        {...props}
        field="image_url"
        label="Picture (optional)"
        hint={
          <>
            The path of a file in <span class="code">public/</span>, such as <span class="code">/pictures/shoe.jpg</span>
          </>
        }
        input={{ spellcheck: false }}
      />
    </>
  );
}

/** When it opens and ends. */
export function WindowFields(props: FieldsProps): JSX.Element {
  return (
    <div class="pair">
      <TimeField {...props} choice="opens" off="now" offLabel="At once" field="starts_at" legend="Opens" label="Opening time" />
      <TimeField {...props} choice="ends" off="never" offLabel="Never" field="ends_at" legend="Ends" label="End time" />
    </div>
  );
}

type TimeProps = FieldsProps & {
  readonly choice: "opens" | "ends";
  readonly off: string;
  readonly offLabel: string;
  readonly field: "starts_at" | "ends_at";
  readonly legend: string;
  readonly label: string;
};

function TimeField(props: TimeProps): JSX.Element {
  const { form, onChange, choice, off, offLabel, field, legend, label } = props;
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div class="choices">
        {[
          [off, offLabel],
          ["later", "At a time"],
        ].map(([value, text]) => (
          <label key={value}>
            <input type="radio" name={choice} checked={form[choice] === value} onChange={() => onChange({ [choice]: value })} />
            {text}
          </label>
        ))}
      </div>
      {form[choice] === "later" ? (
        <TextInput {...props} field={field} label={label} hint={`${CITY} time`} input={{ type: "datetime-local" }} />
      ) : null}
    </fieldset>
  );
}

/** What most sales leave as it is. */
export function MoreFields(props: FieldsProps): JSX.Element {
  const { form } = props;
  return (
    <>
      <p class="muted small">A checkout can hold a unit for a user who is paying. A hold that ends gives its unit back.</p>
      <TextInput
        {...props}
        field="hold_seconds_max"
        label="Longest hold, in seconds"
        hint={secondsInWords(form.hold_seconds_max) ?? "900 s = 15 minutes, unless set"}
        input={{ inputMode: "numeric" }}
      />
      <TextInput
        {...props}
        field="holds_max"
        label="Most holds at once"
        hint="Only the stock limits them, unless set. 0 allows none."
        input={{ inputMode: "numeric" }}
      />
    </>
  );
}
