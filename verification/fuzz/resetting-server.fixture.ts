// A server that loses answers: it resets its first connections.

import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

/** Until the test ends, it resets `resets` connections, each after it has said `before`, and gives the others `answer`, by their number, and closes them. */
export async function resetting(
  answer: string | ((connection: number) => string),
  resets: number,
  before = "",
): Promise<{ readonly url: string; readonly count: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    const isReset = count <= resets;
    const bytes = typeof answer === "string" ? answer : answer(count);
    socket
      .on("error", () => undefined)
      .once("data", () => {
        if (!isReset) return socket.end(bytes);
        if (before === "") return socket.resetAndDestroy();
        // By the next bytes it has been heard.
        return socket.once("data", () => socket.resetAndDestroy()).write(before);
      });
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count };
}
