// A peer: the whole claim is one script in Redis, over the Unix socket that is named first on the command line.

import { createClient, defineScript } from "redis";

import { serve } from "./server.js";

const CLAIM = `
  local remaining = redis.call('GET', KEYS[1])
  if not remaining then return 'coupon_not_found' end
  if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 'already_claimed' end
  if tonumber(remaining) == 0 then return 'out_of_stock' end
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
  return redis.call('DECR', KEYS[1])`;

// Commands of one turn leave in one write; a script goes by its hash once the server knows it.
const client = await createClient({
  socket: { path: process.argv[2] },
  scripts: {
    claim: defineScript({
      SCRIPT: CLAIM,
      NUMBER_OF_KEYS: 2,
      parseCommand(parser, name, userId, at) {
        parser.pushKey(`stock:{${name}}`);
        parser.pushKey(`claims:{${name}}`);
        parser.push(userId, at);
      },
      transformReply: (reply) => reply,
    }),
  },
}).connect();

await serve({
  create: (name, amount) => client.set(`stock:{${name}}`, amount),
  count: (name) => client.hLen(`claims:{${name}}`),
  async claim(name, userId) {
    const claimedAt = new Date();
    const reply = await client.claim(name, userId, String(claimedAt.getTime()));
    return typeof reply === "number" ? { outcome: "granted", claimedAt, remaining: reply } : { outcome: reply };
  },
});
