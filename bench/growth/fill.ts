// Coupons with many claims, made once by bulk claims and copied for each use.

import { randomUUID } from "node:crypto";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";

import { PRODUCT } from "../../scripts/server/workerd.ts";
import { openCoupon, unitsOnDisk } from "../systems/files.ts";
import { answerOf, create, served, type Lab } from "../systems/system.ts";

/** The coupon that grows. */
export const GROWN = "grown";
/** A coupon beside it, for what is not measured, such as the start of the Worker. */
export const OTHER = "other";
const AMOUNT = 2_147_483_647;
const USERS_PER_BULK = 1000;

const states = new WeakMap<Lab, Map<number, Promise<string>>>();

/** A copy of a state in which {@link GROWN} has so many claims. The caller may change it. */
export async function stateWith(lab: Lab, claims: number): Promise<string> {
  const known = states.get(lab) ?? new Map<number, Promise<string>>();
  states.set(lab, known);
  const made = known.get(claims) ?? makeState(lab, claims);
  known.set(claims, made);
  const copy = join(lab.folder, lab.fresh("grown"));
  await cp(await made, copy, { recursive: true });
  return copy;
}

/** Removes a copy, since a million claims take hundreds of megabytes. */
export async function discard(state: string): Promise<void> {
  await rm(state, { recursive: true, force: true });
}

async function makeState(lab: Lab, claims: number): Promise<string> {
  lab.log(`making a coupon with ${claims.toLocaleString("en")} claims`);
  const state = join(lab.folder, lab.fresh("made"));
  const server = await served(lab, PRODUCT, { state });
  await create(server.url, GROWN, AMOUNT);
  await create(server.url, OTHER, AMOUNT);
  for (let done = 0; done < claims; done += USERS_PER_BULK) {
    // Ids have no order, as those of real users, so that each lands somewhere else in the table.
    const userIds = Array.from({ length: Math.min(USERS_PER_BULK, claims - done) }, () => `user-${randomUUID()}`);
    await answerOf(`${server.url}/api/coupons/${GROWN}/claims`, 200, { user_ids: userIds });
  }
  await server.kill();

  // The object starts with an empty log.
  const database = openCoupon(state, GROWN);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const stored = await unitsOnDisk(state, GROWN);
  if (stored !== claims) throw new Error(`${stored} claims were stored, not ${claims}`);
  return state;
}
