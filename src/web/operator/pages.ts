// The pages of the console.

import type { Route } from "../../http/route.ts";
import { showLogin, submitLogin, submitLogout } from "./login.tsx";
import { consoleRoute } from "./shell.tsx";

export const CONSOLE_ROUTES: readonly Route[] = [
  consoleRoute({ id: "showSales", path: "/operator", title: "Sales", script: "operator-list" }),
  consoleRoute({ id: "showNewSale", path: "/operator/new", title: "New sale", script: "operator-new" }),
  consoleRoute({ id: "showSale", path: "/operator/sales/{name}", title: "Sale", script: "operator-sale" }),
  showLogin,
  submitLogin,
  submitLogout,
  consoleRoute({ id: "showWebhooks", path: "/operator/webhooks", title: "Webhooks", script: "operator-webhooks" }),
];
