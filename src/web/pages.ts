// The table of all pages.

import type { Pages } from "../http/route.ts";
import { getHome } from "./home-page.tsx";
import { CONSOLE_ROUTES } from "./operator/pages.ts";
import { refusalPage } from "./refusal-page.tsx";
import { getSalePage } from "./sale-page.tsx";

export const PAGES: Pages = { routes: [getHome, getSalePage, ...CONSOLE_ROUTES], refusalPage };
