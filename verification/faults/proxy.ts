// The network between clients and the server, in this process. It does to each request what the fault plan
// says. One connection carries one request.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { NO_FAULT, type FaultPlan } from "./fault-plan.ts";

/** The header that names a request to the proxy. The server ignores it. */
export const PASSAGE_HEADER = "passage";

/** One request on its way. */
export type Passage = {
  readonly id: string;
  readonly faultPlan: FaultPlan;
  /** The isolate that gets it. */
  readonly isolate: number;
  /** How often the whole request was handed to the server. */
  deliveries: number;
};

export class FaultyNetwork {
  /** The ports of the server's isolates; none while the server is down. */
  targets: readonly number[] = [];
  readonly #server: Server;
  readonly #passages = new Map<string, Passage>();
  readonly #sockets = new Set<Socket>();
  readonly #closed = new AbortController();
  #passageCount = 0;

  private constructor() {
    this.#server = createServer((client) => void this.#serve(client).catch(() => client.destroy()));
  }

  /** Opens it on a free port of 127.0.0.1. */
  static async open(): Promise<FaultyNetwork> {
    const network = new FaultyNetwork();
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    return network;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Registers a request, which then carries the returned id in {@link PASSAGE_HEADER}. */
  passage(faultPlan: FaultPlan, isolate = 0): Passage {
    this.#passageCount += 1;
    const passage = { id: String(this.#passageCount), faultPlan, isolate, deliveries: 0 };
    this.#passages.set(passage.id, passage);
    return passage;
  }

  /** Ends all connections: no pending request arrives any more. */
  async close(): Promise<void> {
    this.#closed.abort();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(client: Socket): Promise<void> {
    this.#keep(client);
    const request = await wholeRequest(client);
    if (request === null) return;
    const id = new RegExp(`\r\n${PASSAGE_HEADER}: (\\d+)\r\n`, "i").exec(request.toString("latin1"))?.[1] ?? "";
    const passage = this.#passages.get(id) ?? { id, faultPlan: NO_FAULT, isolate: 0, deliveries: 0 };
    this.#passages.delete(id);
    await this.#pass(client, request, passage);
  }

  async #pass(client: Socket, request: Buffer, passage: Passage): Promise<void> {
    const { is, ms, percent, isOther } = passage.faultPlan;
    switch (is) {
      case "request_lost":
        return this.#lose(client, isOther);
      case "request_truncated":
        await this.#forward(null, request.subarray(0, Math.floor((request.length * percent) / 100)), { ...passage }, ms);
        client.destroy();
        return;
      case "request_delayed":
        await this.#wait(ms);
        // The client may have given up.
        answer(client, await this.#forward(null, request, passage));
        return;
      case "cut":
        await this.#forward(null, request, passage, ms);
        client.destroy();
        return;
      case "answer_lost":
        await this.#forward(null, request, passage);
        return this.#lose(client, isOther);
      case "duplicated":
        return this.#duplicate(client, request, passage);
      default: {
        const whole = await this.#forward(client, request, passage);
        if (is === "answer_delayed") await this.#wait(ms);
        if (is === "answer_truncated" && whole !== null) client.end(whole.subarray(0, Math.floor((whole.length * percent) / 100)));
        else answer(client, whole);
      }
    }
  }

  async #duplicate(client: Socket, request: Buffer, passage: Passage): Promise<void> {
    const { ms, isOther } = passage.faultPlan;
    const first = this.#forward(null, request, passage);
    const second = this.#wait(ms).then(() => this.#forward(null, request, passage));
    answer(client, await (isOther ? second : first));
    await Promise.all([first, second]);
  }

  /** Sends nothing more; `isBroken` breaks the connection, otherwise the client waits. */
  #lose(client: Socket, isBroken: boolean): void {
    if (isBroken) client.destroy();
  }

  /**
   * Hands `bytes` to the server. Resolves with the whole answer, or null if there is none. If the client
   * leaves, the connection to the server ends; `cutAfterMs` ends it in any case.
   */
  async #forward(client: Socket | null, bytes: Buffer, passage: Passage, cutAfterMs?: number): Promise<Buffer | null> {
    const target = this.targets[passage.isolate];
    if (target === undefined || this.#closed.signal.aborted) return null;
    const upstream = connect(target, "127.0.0.1");
    this.#keep(upstream);
    const leave = (): void => void upstream.destroy();
    client?.once("close", leave);
    try {
      await once(upstream, "connect");
      upstream.write(bytes);
      passage.deliveries += 1;
      if (cutAfterMs !== undefined) {
        await this.#wait(cutAfterMs);
        return null;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of upstream) chunks.push(chunk as Buffer);
      return chunks.length === 0 ? null : Buffer.concat(chunks);
    } catch {
      return null;
    } finally {
      client?.removeListener("close", leave);
      upstream.destroy();
    }
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#closed.signal });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

function answer(client: Socket, whole: Buffer | null): void {
  if (whole === null) client.destroy();
  else client.end(whole);
}

/** The bytes of one request, or null if the client leaves before they are complete. */
async function wholeRequest(client: Socket): Promise<Buffer | null> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const headEnd = bytes.indexOf("\r\n\r\n");
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(bytes.toString("latin1", 0, Math.max(0, headEnd)))?.[1] ?? 0);
    if (headEnd !== -1 && bytes.length >= headEnd + 4 + length) return bytes;
    const [chunk] = (await Promise.race([once(client, "data"), once(client, "close").then(() => [null])])) as [Buffer | null];
    if (chunk === null) return null;
    bytes = Buffer.concat([bytes, chunk]);
  }
}
