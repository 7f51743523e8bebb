// The `webhooks` section of the OpenAPI document.

import type * as z from "zod";

import type { Json } from "./openapi-examples.ts";
import { JSON_TYPE } from "./media-types.ts";
import { WEBHOOKS } from "./webhook-schemas.ts";

const HEADERS = {
  "webhook-id": "The same for each delivery of this message. Use it to deduplicate.",
  "webhook-timestamp": "When this attempt was sent, in seconds since 1970.",
  "webhook-signature": "One signature for each current secret, separated by spaces: Standard Webhooks 1.0.",
};

/** The tag of all messages. */
export const EVENTS = "events";

/** Returns a path item for each type of message. `content` renders a schema with its example. */
export function webhooksOf(content: (schema: z.ZodType) => Json): Json {
  const parameters = Object.entries(HEADERS).map(([name, description]) => ({
    name,
    in: "header",
    required: true,
    description,
    schema: { type: "string" },
  }));
  const responses = {
    "2XX": { description: "Received. Any other answer, or none within 10 seconds, is an error, and 410 disables the endpoint." },
  };
  const items = WEBHOOKS.map(({ type, when, schema }) => {
    const operationId = `on_${type}`.replaceAll(/[._]([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    const requestBody = { required: true, content: { [JSON_TYPE]: content(schema) } };
    // The signature proves the sender. OpenAPI has no scheme for it.
    return [type, { post: { operationId, tags: [EVENTS], summary: when, security: [], parameters, requestBody, responses } }] as const;
  });
  return Object.fromEntries(items);
}
