// The product on workerd for a file of tests. It can be killed and started again while a page watches.

import { launch, type ServeOptions } from "../../../scripts/server/workerd.ts";

export type Server = {
  /** The origin, such as `http://127.0.0.1:41234`. It stays the same. */
  readonly url: string;
  readonly killCount: () => number;
  /** Ends the server without a farewell, as a crash does. */
  readonly kill: () => Promise<void>;
  /** Starts it on the same port and state after {@link Server.kill}. */
  readonly startAgain: () => Promise<void>;
};

export async function startServer(bundle: string, options: ServeOptions): Promise<Server> {
  let served = await launch(bundle, options);
  const { url, port } = served;
  let killCount = 0;
  return {
    url,
    killCount: () => killCount,
    async kill() {
      killCount += 1;
      await served.kill();
    },
    async startAgain() {
      served = await launch(bundle, { ...options, port });
    },
  };
}
