// The parts that the console's pages share: notices, and actions that say what they do before and after.

import { createContext, render, type ComponentChildren, type JSX } from "preact";
import { useContext, useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import { SESSION_ENDED } from "./api.ts";

type Notice = { readonly id: number; readonly text: string; readonly isError: boolean };

const NOTICES_MAX = 3;
let noticeCount = 0;
let showNotice: (notice: Notice) => void = () => undefined;

/** Shows a sentence at the end of the page, and reads it out. */
export function notify(text: string, isError = false): void {
  noticeCount += 1;
  showNotice({ id: noticeCount, text, isError });
}

const NEXT_NOTICE = "doorbuster:next-notice";

/** Shows a notice on the next page of the console in this tab. */
export function notifyNext(text: string): void {
  sessionStorage.setItem(NEXT_NOTICE, text);
}

function takeNextNotice(): readonly Notice[] {
  const text = sessionStorage.getItem(NEXT_NOTICE);
  sessionStorage.removeItem(NEXT_NOTICE);
  return text === null ? [] : [{ id: 0, text, isError: false }];
}

/** What has happened, newest last. A notice stays until it is closed or pushed out, so that nobody misses it. */
function Notices(): JSX.Element {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  useEffect(() => {
    showNotice = (notice) => setNotices((before) => [...before, notice].slice(-NOTICES_MAX));
    setNotices(takeNextNotice());
  }, []);
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.map(({ id, text, isError }) => (
        <div key={id} class={isError ? "notice bad" : "notice good"}>
          <p>{text}</p>
          <button class="quiet" aria-label="Close" onClick={() => setNotices((before) => before.filter((one) => one.id !== id))}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}

/** A dialog that opens later offers the login too. */
let hasSessionEnded = false;
addEventListener(SESSION_ENDED, () => (hasSessionEnded = true));

/** Offers the login once a call finds that the session has ended. An open dialog covers the page, so it has its own. */
function SessionEnded(): JSX.Element | null {
  const [hasEnded, setEnded] = useState(hasSessionEnded);
  useEffect(() => {
    const end = (): void => setEnded(true);
    addEventListener(SESSION_ENDED, end);
    return () => removeEventListener(SESSION_ENDED, end);
  }, []);
  if (!hasEnded) return null;
  const next = encodeURIComponent(location.pathname + location.search);
  return (
    <div class="notice bad" role="alert">
      <p>
        Your session has ended. <a href={`/operator/login?next=${next}`}>Log in again</a> to go on.
      </p>
    </div>
  );
}

/** The content of a page of the console. */
export function ConsolePage({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <>
      <SessionEnded />
      {children}
      <Notices />
    </>
  );
}

/** What has happened, in a sentence. `error` keeps the dialog open, `failed` closes it. */
export type Happened = string | { readonly error: string } | { readonly failed: string };

export type ActionProps = {
  readonly label: string;
  /** What will happen, in one or two sentences. */
  readonly before: ComponentChildren;
  /** The button that does it; the label when left out. */
  readonly confirm?: string;
  /** The text that must be typed first. */
  readonly typed?: string;
  readonly isDanger?: boolean;
  readonly isPrimary?: boolean;
  readonly isDisabled?: boolean;
  /** Whether the fields say enough to do it; true when left out. */
  readonly isReady?: boolean;
  /** Fields that the action needs. */
  readonly children?: ComponentChildren;
  /** Called when the dialog opens. */
  readonly onOpen?: () => void;
  /** Does it. */
  readonly run: () => Promise<Happened>;
};

/** A sentence why the actions inside are no longer possible. It hides their buttons, and an open dialog shows it. */
export const Impossible = createContext<string | null>(null);

/** A button whose dialog says what will happen. A notice says what has happened. */
export function Action(props: ActionProps): JSX.Element | null {
  const { label, isDanger, isPrimary, isDisabled, onOpen } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // The label at the time when the dialog opened. What it says must not change under the operator's hand.
  const [opened, setOpened] = useState<string | null>(null);
  const isOpen = opened !== null;
  const isGone = useContext(Impossible) !== null;
  const look = isDanger === true ? "danger" : isPrimary === true ? "primary" : "";
  // After the content is there, so that the focus goes to its first field.
  useLayoutEffect(() => (isOpen ? dialog.current?.showModal() : undefined), [isOpen]);

  function open(): void {
    setOpened(label);
    onOpen?.();
  }

  if (isGone && !isOpen) return null;
  return (
    <>
      <button type="button" class={look} disabled={isDisabled} hidden={isGone} onClick={open}>
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={titleId} onClose={() => setOpened(null)}>
        {isOpen ? <ActionForm {...props} label={opened} titleId={titleId} close={() => dialog.current?.close()} /> : null}
      </dialog>
    </>
  );
}

type ActionFormProps = ActionProps & { readonly titleId: string; readonly close: () => void };

function ActionForm(props: ActionFormProps): JSX.Element {
  const { label, before, confirm = label, typed, isDanger, isReady: hasFields = true, children, run, titleId, close } = props;
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isRunning, setRunning] = useState(false);
  const isShown = useRef(true);
  useEffect(() => () => void (isShown.current = false), []);
  const impossible = useContext(Impossible);
  const isReady = impossible === null && hasFields && !isRunning && (typed === undefined || text === typed);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (!isReady) return;
    setRunning(true);
    setError(null);
    const result = await run();
    setRunning(false);
    if (typeof result === "object" && "error" in result) {
      // A dialog that was closed meanwhile shows nothing.
      return isShown.current ? setError(result.error) : notify(result.error, true);
    }
    // Another dialog may be open now.
    if (isShown.current) close();
    if (typeof result === "string") notify(result);
    else notify(result.failed, true);
  }

  return (
    <form method="dialog" onSubmit={(event) => void submit(event)}>
      <h2 id={titleId}>{label}</h2>
      <div class="before">{before}</div>
      {children}
      {typed === undefined ? null : <Typed wanted={typed} value={text} onInput={setText} />}
      <SessionEnded />
      <Fault error={isRunning ? error : (impossible ?? error)} />
      <div class="buttons">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button class={isDanger === true ? "danger" : "primary"} disabled={!isReady}>
          {isRunning ? "Working…" : confirm}
        </button>
      </div>
    </form>
  );
}

type TypedProps = { readonly wanted: string; readonly value: string; readonly onInput: (value: string) => void };

function Typed({ wanted, value, onInput }: TypedProps): JSX.Element {
  const id = useId();
  return (
    <p>
      <label for={id}>
        Type{" "}
        <strong class="code exact">
          <bdi>{wanted}</bdi>
        </strong>{" "}
        to confirm
      </label>
      <input id={id} autocomplete="off" spellcheck={false} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
    </p>
  );
}

/** The sentence of what went wrong, read out at once; nothing without one. */
export function Fault({ error }: { readonly error: string | null }): JSX.Element | null {
  if (error === null) return null;
  return (
    <p class="fault" role="alert">
      {error}
    </p>
  );
}

/** Fills the page with its island. */
export function mount(content: JSX.Element): void {
  const app = document.getElementById("app");
  if (app === null) return;
  app.replaceChildren();
  render(content, app);
}

export type FieldProps = {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly fault?: string | undefined;
  readonly children: (attributes: {
    readonly id: string;
    readonly "aria-describedby": string;
    readonly "aria-invalid": boolean;
  }) => JSX.Element;
};

/** A labelled field with its hint and its fault. */
export function Field({ label, hint, fault, children }: FieldProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": `${id}-hint`, "aria-invalid": fault !== undefined })}
      <p class={fault === undefined ? "hint" : "fault"} id={`${id}-hint`}>
        {fault ?? hint ?? ""}
      </p>
    </div>
  );
}
