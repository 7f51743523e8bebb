// The end of the parent process. npm runs a script in a shell. A signal to npm can end both without reaching
// the script, which then would keep its port.

const CHECK_EVERY_MS = 100;

/** Calls `stop` once if npm runs this process and the parent ends. */
export function whenParentEnds(stop: () => void): void {
  const { ppid } = process;
  // Without npm, a server may outlive its terminal.
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    stop();
  }, CHECK_EVERY_MS);
  timer.unref();
}
