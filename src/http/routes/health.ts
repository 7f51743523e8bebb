// Whether the Worker is up.

import { answer } from "../answers.ts";
import type { Route } from "../route.ts";
import { instant } from "../wire.ts";

export const healthRoutes = [
  {
    method: "get",
    path: "/health",
    summary: "Whether the Worker is up",
    who: "everybody",
    answers: [{ status: 200, description: "It is.", schema: "Health" }],
    refusals: [],
    handle: (c) => answer(c, 200, { status: "healthy", server_time: instant(Date.now()) }),
  },
] as const satisfies readonly Route[];
