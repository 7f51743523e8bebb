// One thread of a run. The product's modules are hooked before anything imports one of them.

import { workerData } from "node:worker_threads";

import { PLANTED_BUGS } from "./planted-bugs.ts";
import { hookModules } from "./product.ts";
import type { Setting } from "./thread.ts";

const { bug } = workerData as Setting;
hookModules(bug === undefined ? [] : (PLANTED_BUGS[bug]?.edits ?? []));
await import("./thread.ts");
