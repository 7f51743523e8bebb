// The Worker's stub of the coupon's object, or of a lane.

import type { BackupPart } from "../../src/domain/backup.ts";
import type { CertificateRequest } from "../../src/domain/certificate.ts";
import type { RefusalCounts } from "../../src/domain/claim-counts.ts";
import type { Change } from "../../src/domain/change.ts";
import type { ClaimRequest } from "../../src/domain/claim.ts";
import type { NewCoupon } from "../../src/domain/coupon.ts";
import type { Precondition } from "../../src/domain/etag.ts";
import type { HoldRequest } from "../../src/domain/hold.ts";
import type { RevokeRequest } from "../../src/domain/revoke.ts";
import type * as messages from "../../src/domain/rpc.ts";
import type { Result } from "../model/product-answers.ts";
import type { Call } from "../model/types.ts";
import { backupName } from "./backups.ts";
import type { SimulatedObject } from "./instance.ts";
import type { Asked, Network, Request } from "./network.ts";

const READ: readonly Call[] = [{ kind: "read" }];

/**
 * The Worker's stub of the object, with the calls that the simulated clients cause. After an exception it stays
 * broken, as on the platform.
 */
export class Stub implements Partial<messages.CouponCalls> {
  readonly request: Request;
  broken: Error | null = null;
  readonly #network: Network;

  /** The name of the lane that it is a stub of; null for the coupon's object. */
  readonly lane: string | null;

  constructor(network: Network, request: Request, lane: string | null = null) {
    this.#network = network;
    this.request = request;
    this.lane = lane;
  }

  create(coupon: NewCoupon) {
    const { name: _name, ...asked } = coupon;
    return this.#send({ command: "create", calls: [{ kind: "create", ...asked }] }, (object) => object.create(coupon));
  }

  read(wanted: { readonly claimedBy: boolean }) {
    return this.#send({ command: "read", calls: READ }, (object) => object.read(wanted));
  }

  change(change: Change, precondition: Precondition | null) {
    const calls = [{ kind: "change", ...change } as const];
    const ifMatch = precondition?.ifMatch ?? null;
    return this.#send({ command: "change", calls, ifMatch }, (object) => object.change(change, precondition));
  }

  archive(precondition: Precondition | null) {
    return this.#send({ command: "archive", calls: [{ kind: "archive" }] }, (object) => object.archive(precondition));
  }

  remove() {
    return this.#send({ command: "remove", calls: [{ kind: "remove" }] }, (object) => object.remove());
  }

  claim(request: ClaimRequest) {
    const { attemptId: attempt, userId, key } = request;
    return this.#send({ command: "claim", calls: [{ kind: "claim", userId, key }], attempt }, (object) => object.claim(request));
  }

  claimMany(userIds: readonly string[], attempt: string) {
    const calls = userIds.map((userId) => ({ kind: "claim", userId, key: null }) as const);
    return this.#send({ command: "claim_many", calls, attempt }, (object) => object.claimMany(userIds, attempt));
  }

  hold(request: HoldRequest) {
    const { attemptId: attempt, userId, ttlMs } = request;
    return this.#send({ command: "hold", calls: [{ kind: "hold", userId, ttlMs }], attempt }, (object) => object.hold(request));
  }

  releaseHold(userId: string) {
    return this.#send({ command: "give_back", calls: [{ kind: "give_back", userId }] }, (object) => object.releaseHold(userId));
  }

  releaseAllHolds() {
    return this.#send({ command: "end_holds", calls: [{ kind: "end_holds" }] }, (object) => object.releaseAllHolds());
  }

  listHolds(after: string, limit: number) {
    return this.#send({ command: "holds", calls: [{ kind: "holds" }] }, (object) => object.listHolds(after, limit));
  }

  getUserClaim(userId: string) {
    return this.#send({ command: "own", calls: [{ kind: "own", userId }] }, (object) => object.getUserClaim(userId));
  }

  erase(userId: string, actor: string | null) {
    return this.#send({ command: "erase", calls: [{ kind: "erase", userId }] }, (object) => object.erase(userId, actor));
  }

  revoke(request: RevokeRequest) {
    return this.#send({ command: "release", calls: [{ kind: "release", ...request }] }, (object) => object.revoke(request));
  }

  listClaims(after: messages.Cursor, limit: number) {
    return this.#send({ command: "page", calls: READ, page: { after, limit } }, (object) => object.listClaims(after, limit));
  }

  backup(epoch: string | null, after: number, until: number | null) {
    return this.#send({ command: "backup", calls: READ }, (object) => object.backup(epoch, after, until));
  }

  restore(name: string, part: BackupPart, actor: string | null) {
    const calls = [{ kind: "restore", backup: part.end === null ? "" : backupName(part.end), isLast: part.end !== null } as const];
    return this.#send({ command: "restore", calls }, (object) => object.restore(name, part, actor));
  }

  metrics() {
    return this.#send({ command: "metrics", calls: READ }, (object) => object.metrics());
  }

  certify(request: CertificateRequest) {
    return this.#send({ command: "certify", calls: [] }, (object) => object.certify(request));
  }

  countRefused(refused: RefusalCounts) {
    return this.#send({ command: "certify", calls: [] }, (object) => object.countRefused(refused));
  }

  #send<Answered extends Result>(
    asked: Omit<Asked, "attempt"> & Partial<Pick<Asked, "attempt">>,
    call: (object: SimulatedObject) => Promise<Answered>,
  ): Promise<Answered> {
    return this.broken === null ? this.#network.send(this, { attempt: null, ...asked }, call) : Promise.reject(this.broken);
  }
}
