// The table of all pages.

import type { Pages } from "../http/route.ts";
import { getHome } from "./home-page.tsx";
import { CONSOLE_ROUTES } from "./operator/pages.ts";
import { claimOnPage, getOutcomePage } from "./outcome-page.tsx";
import { refusalPage } from "./refusal-page.tsx";
import { getSalePage } from "./sale-page.tsx";

export const PAGES: Pages = { routes: [getHome, getSalePage, claimOnPage, getOutcomePage, ...CONSOLE_ROUTES], refusalPage };
