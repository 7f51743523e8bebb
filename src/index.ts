// The Worker's entry: wiring only.

import { createApp } from "./http/app.ts";

export * from "./objects.ts";
export default createApp();
