// Bugs to plant into the erasure of users.

import { bug, type PlantedBug } from "./planted-bug.ts";

export const ERASURE_BUGS: Readonly<Record<string, PlantedBug>> = {
  "erased-user-claims-again": bug("An erased user is not recognized, and gets a second unit.", [
    "engine/draft",
    "if (this.#erasureKey === null || this.userClaim(userId).inTheWay !== null) return request;",
    "if (this.#erasureKey !== null || this.userClaim(userId).inTheWay !== null) return request;",
  ]),
  "erasure-misses-the-ledger": bug("The events of an erased user keep the id.", [
    "engine/erasure-store",
    "    this.#sql.all(ErasureStore.RENAME_EVENTS, alias, JSON.stringify(seqs));\n",
    "",
  ]),
  "erasure-misses-the-read-model": bug("The claims of an erased user keep the id in the database.", [
    "read-model/store",
    "[RENAME_EVENTS, RENAME_CLAIMS].map(",
    "[RENAME_EVENTS].map(",
  ]),
  "erasure-misses-released-holds": bug("The released holds of an erased user keep the id.", [
    "engine/erasure-store",
    "(ErasureStore.DELETE_RELEASED_HOLDS, userId)",
    "(ErasureStore.DELETE_RELEASED_HOLDS, alias)",
  ]),
  "erased-users-share-a-key": bug("A user can't be erased whose idempotency key an erased user has used.", [
    "domain/pseudonym",
    "JSON.stringify([userId, key])",
    "key",
  ]),
  "own-attempt-hidden": bug("The Worker's own retry after an erasure is answered as a replay.", [
    "engine/claims",
    "return isHiddenOwn ?",
    "return !isHiddenOwn && isHiddenOwn ?",
  ]),
  "erased-user-certified-away": bug("A certificate also refuses erased users with a claim.", [
    "domain/certificate",
    "mayContain(userMember(pseudonymOf(erasureKey, userId)))",
    "mayContain(userMember(userId))",
  ]),
};
