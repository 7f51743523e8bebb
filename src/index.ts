// The Worker's entry: wiring only.

import { createApp } from "./http/app.ts";
import { PAGES } from "./web/pages.ts";

export * from "./objects.ts";
export default createApp(PAGES);
