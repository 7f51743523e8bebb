// What each isolate has been answered: what it shows never goes back behind that.

import type { Heard as HeardOverHttp } from "../faults/wire.ts";
import type { Certificate } from "../../src/domain/certificate.ts";
import type { Heard } from "./network.ts";
import type { Scene } from "./scene.ts";

type Seen = { readonly life: number; readonly seq: number; readonly isRead: boolean };
type Held = { readonly certificate: Certificate; readonly until: number };

export class Isolates {
  readonly #scene: Scene;
  readonly #seen: Seen[][] = [];
  readonly #held = new Map<number, Held>();
  readonly codes: string[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** An isolate hears an answer of the object. */
  hear({ isolate, result, life }: Heard): void {
    const { scheduler } = this.#scene;
    if (!("seq" in result) || (!result.ok && (result.code === "unavailable" || result.code === "invalid_request"))) return;
    (this.#seen[isolate] ??= []).push({ life, seq: result.seq, isRead: "coupon" in result || result.seq === 0 });
    if (!("certificate" in result) || result.certificate === null) return;
    const { certificate } = result;
    this.codes.push(certificate.code);
    this.#held.set(isolate, { certificate, until: scheduler.now + certificate.validForMs });
  }

  /** How many answers an isolate has heard. */
  seen(isolate: number): number {
    return this.#seen[isolate]?.length ?? 0;
  }

  /** The life of which an isolate has heard this head last; for a view, has read it. */
  lifeAt(isolate: number, seq: number, isView = false): { readonly life?: number } {
    const seen = this.#seen[isolate]?.findLast((one) => one.seq === seq && (one.isRead || !isView));
    return seen === undefined ? {} : { life: seen.life };
  }

  /** Whether a claim with a key reaches the object because any key may be new. */
  isBypassed(isolate: number): boolean {
    const held = this.#held.get(isolate);
    return held !== undefined && held.certificate.isAnyKeyNew && this.#scene.scheduler.now < held.until;
  }

  /** Whether some certificate is in use. */
  get isAnyInUse(): boolean {
    return [...this.#held.values()].some(({ until }) => this.#scene.scheduler.now < until);
  }

  /** Whether what an isolate shows goes back behind the first `count` answers that it had heard, within one life. */
  shown(isolate: number, { headers, body }: HeardOverHttp, count: number): string | null {
    // That nothing could be read is no word about the coupon.
    if (body["code"] === "unavailable") return null;
    const seq = Number(headers["coupon-seq"] ?? 0);
    const seen = this.#seen[isolate] ?? [];
    const before = seen.slice(0, count);
    const last = before.at(-1);
    // It may be of a life of which it has heard that head.
    const lives = new Set(seen.filter((one) => one.seq === seq).map(({ life }) => life));
    if (last === undefined || seq === 0 || !lives.has(last.life) || lives.size > 1) return null;
    const newest = Math.max(...before.filter(({ life }) => life === last.life).map((one) => one.seq));
    return seq < newest ? `isolate ${isolate} shows seq ${seq} after it had seq ${newest}` : null;
  }
}
