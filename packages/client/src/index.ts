// The entry of users: `@doorbuster/client`.

export { createClient, type ClaimOptions, type Client, type ClientOptions, type HoldOptions } from "./client.ts";
export type { Failure, Options, Result, Success } from "./call.ts";
export { RefusedError, type WatchEvent, type WatchOptions } from "./events.ts";
export { memoryKeys, storageKeys, type KeyStore, type TextStorage } from "./key-store.ts";
export type { ClaimOutcome, HoldOutcome, RefusedOutcome } from "./outcome.ts";
export type * from "./types.ts";
