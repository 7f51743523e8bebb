// The table of all pages.

import type { Pages, Route } from "../http/route.ts";
import { getDocs } from "./docs-page.tsx";
import { getHome } from "./home-page.tsx";
import { CONSOLE_ROUTES } from "./operator/pages.ts";
import { claimOnPage, getOutcomePage } from "./outcome-page.tsx";
import { refusalPage } from "./refusal-page.tsx";
import { getSalePage } from "./sale-page.tsx";

/** In the order of their paths. */
const ROUTES: readonly Route[] = [getHome, getDocs, ...CONSOLE_ROUTES, getSalePage, claimOnPage, getOutcomePage];

export const PAGES: Pages = { routes: ROUTES, refusalPage };
