// What processes use of the machine, from Linux's /proc. Null on other systems.

import { readdir, readFile, writeFile } from "node:fs/promises";

/** `/proc` counts in these, whatever the kernel's own clock (USER_HZ, see proc(5)). */
const TICK_US = 10_000;

type Stat = { readonly parent: number; readonly ticks: number };

/**
 * CPU time in microseconds that the processes in `roots` and all of their descendants have used, those
 * included that have ended and were waited for.
 */
export async function cpuUsOf(roots: readonly number[]): Promise<number | null> {
  const pids = await readdir("/proc").catch(() => []);
  const found = await Promise.all(pids.filter((pid) => /^\d+$/.test(pid)).map(async (pid) => [Number(pid), await statOf(pid)] as const));
  const stats = new Map(found.filter((entry): entry is [number, Stat] => entry[1] !== null));
  if (stats.size === 0) return null;
  const isOurs = (pid: number): boolean => roots.includes(pid) || (stats.has(pid) && isOurs(stats.get(pid)?.parent ?? -1));
  return [...stats].reduce((sum, [pid, { ticks }]) => (isOurs(pid) ? sum + ticks * TICK_US : sum), 0);
}

/** Null where the process is gone. */
async function statOf(pid: string): Promise<Stat | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  // The command's name, in brackets, may contain spaces. Behind it: state, parent, …; utime, stime, cutime
  // and cstime are the 12th to 15th.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) };
}

/** Bytes of memory that a process holds now, and its peak since {@link resetPeak}. */
export async function memoryOf(pid: number): Promise<{ readonly nowBytes: number; readonly peakBytes: number } | null> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => null);
  if (status === null) return null;
  const [nowBytes = 0, peakBytes = 0] = ["VmRSS", "VmHWM"].map((name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024);
  return { nowBytes, peakBytes };
}

/** Resets a process's peak memory (`clear_refs`, see proc(5)). Returns whether the system allows it. */
export async function resetPeak(pid: number): Promise<boolean> {
  return writeFile(`/proc/${pid}/clear_refs`, "5").then(
    () => true,
    () => false,
  );
}

/** File descriptors that a process has open. */
export async function openFilesOf(pid: number): Promise<number | null> {
  return readdir(`/proc/${pid}/fd`).then(
    (descriptors) => descriptors.length,
    () => null,
  );
}

/** Time of all processors so far, in ticks, and the part that the hypervisor gave to other machines. */
export async function stolenTicks(): Promise<{ readonly stolen: number; readonly all: number } | null> {
  const stat = await readFile("/proc/stat", "utf8").catch(() => null);
  if (stat === null) return null;
  // user, nice, system, idle, iowait, irq, softirq, steal; what follows is contained in the first two.
  const ticks = (stat.split("\n")[0] ?? "").split(/\s+/).slice(1, 9).map(Number);
  return { stolen: ticks[7] ?? 0, all: ticks.reduce((sum, count) => sum + count, 0) };
}
