// Virtual users: each has its own connection, which is open before the load begins.

import { Client, errors } from "undici";

import { CommandFailure } from "../../scripts/cli/command.ts";
import { couponClient, type CouponClient } from "../client/coupon-client.ts";

/** Connections that are opened at a time, because a server's queue of unaccepted ones is short. */
const OPENING_MAX = 100;
/** Open files of this process or a server besides its connections. */
const OTHER_FILES = 200;
/** Longer than a run, so that no user reconnects during it. */
const KEEP_ALIVE_MS = 600_000;

export type Server = { readonly url: string; readonly adminToken: string | undefined; readonly timeoutMs: number };

export type VirtualUsers = {
  readonly users: readonly CouponClient[];
  readonly timeoutMs: number;
  /** Closes all connections. Requests without an answer fail. */
  readonly close: () => Promise<void>;
};

class Closed extends Error {}

// Read before the first connection: the report resolves the name of every connected address.
const FILES_MAX = openFilesMax();

/** Connects `count` virtual users by one `GET /health` each. Throws {@link CommandFailure} if one fails. */
export async function connectUsers(server: Server, count: number): Promise<VirtualUsers> {
  if (count + OTHER_FILES > FILES_MAX) {
    throw new CommandFailure(
      `${count} connections take about ${count + OTHER_FILES} open files, and this shell allows ${FILES_MAX}: ` +
        `raise it (ulimit -n ${count + OTHER_FILES}) or lower --vus`,
    );
  }
  const clients = Array.from({ length: count }, () => connectionTo(server));
  const users = clients.map((client) => couponClient(client, server));
  const virtualUsers: VirtualUsers = {
    users,
    timeoutMs: server.timeoutMs,
    close: async () => void (await Promise.all(clients.map((client) => client.destroy(new Closed())))),
  };
  try {
    for (let first = 0; first < count; first += OPENING_MAX) {
      await Promise.all(users.slice(first, first + OPENING_MAX).map((user) => user.health()));
    }
  } catch (cause) {
    await virtualUsers.close();
    throw new CommandFailure(`could not open ${count} connections to ${server.url}: ${failureOf(cause, server.timeoutMs)}`);
  }
  return virtualUsers;
}

/** One connection, opened at its first request. */
export function connectionTo({ url, timeoutMs }: Server): Client {
  return new Client(url, {
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

/** Why there was no answer, in a few words. */
export function failureOf(cause: unknown, timeoutMs: number): string {
  const code = codeOf(cause);
  if (cause instanceof Closed || /^UND_ERR_(?:HEADERS|BODY|CONNECT)_TIMEOUT$|^ETIMEDOUT$/.test(code)) {
    return `no answer within ${timeoutMs / 1000} s`;
  }
  if (cause instanceof errors.HTTPParserError) return "the answer is not HTTP";
  return FAILURES[code] ?? (cause instanceof Error && cause.message !== "" ? cause.message : String(cause));
}

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was closed",
  EPIPE: "the connection was closed",
  UND_ERR_SOCKET: "the connection was closed",
  EMFILE: "too many open files",
  ENOTFOUND: "no such host",
  EADDRNOTAVAIL: "no local port is free",
};

/** The system's or undici's code of an error. Of several attempts to connect, the first one's. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && !("code" in cause && typeof cause.code === "string")) return codeOf(cause.errors[0]);
  return typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : "";
}

/** The limit of open files of this process and its children. Windows has none. */
function openFilesMax(): number {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | string } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Infinity;
}
