// The address bar as state. What a person would share stands in the URL and nowhere else.

import { pageOf, type Page } from "./pages";

const here = $state({ path: location.pathname, search: location.search });

const params = $derived(new URLSearchParams(here.search));
const currentPage = $derived(pageOf(here.path));

export const page = (): Page => currentPage;
export const path = (): string => here.path;
export const query = (name: string): string | null => params.get(name);
export const fullPath = (): string => here.path + here.search;

export function navigate(to: string, how: "push" | "replace" = "push"): void {
  const before = here.path;
  const target = new URL(to, location.href);
  const address = target.pathname + target.search;
  if (address === here.path + here.search) return;
  if (how === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  read();
  if (target.pathname !== before) scrollTo(0, 0);
}

/** Changes some parameters of this page's address and keeps the others. */
export function setQuery(
  changes: Record<string, string | null>,
  how: "push" | "replace" = "push",
): void {
  navigate(here.path + searchWith(params, changes), how);
}

/** An address inside the app; the time range comes along. */
export function href(to: string, extra: Record<string, string | null> = {}): string {
  const range = params.get("range");
  return to + searchWith(new URLSearchParams(), { range, ...extra });
}

function searchWith(base: URLSearchParams, changes: Record<string, string | null>): string {
  const next = new URLSearchParams(base);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text === "" ? "" : `?${text}`;
}

function read(): void {
  here.path = location.pathname;
  here.search = location.search;
}

/** Plain links move inside the app; modified clicks, downloads and other sites stay the browser's. */
export function startRouter(): void {
  addEventListener("popstate", read);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target !== "" || link.hasAttribute("download")) return;
    const to = new URL(link.href, location.href);
    if (to.origin !== location.origin || to.pathname.startsWith("/api/")) return;
    if (to.hash !== "" && to.pathname === location.pathname && to.search === location.search)
      return;
    event.preventDefault();
    navigate(to.pathname + to.search);
  });
}
