// The rate limit binding for workerd, which has none of its own. It counts exactly, in windows that follow
// the clock. Counts stay in memory, and only those of the current window.

/** @param {{ simple: { limit: number, period: number } }} inner */
export default function rateLimit({ simple: { limit, period } }) {
  let window = 0;
  let counts = new Map();
  return {
    /** @param {{ key: string }} options */
    async limit({ key }) {
      const now = Math.floor(Date.now() / (1000 * period));
      if (now !== window) [window, counts] = [now, new Map()];
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return { success: count <= limit };
    },
  };
}
