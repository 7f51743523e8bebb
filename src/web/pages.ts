// The table of all pages.

import type { Pages } from "../http/route.ts";
import { getDocs } from "./docs-page.tsx";
import { getHome } from "./home-page.tsx";
import { CONSOLE_ROUTES } from "./operator/pages.ts";
import { refusalPage } from "./refusal-page.tsx";

export const PAGES: Pages = { routes: [getHome, getDocs, ...CONSOLE_ROUTES], refusalPage };
