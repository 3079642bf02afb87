// Which page a path means. Pure.

export type Page =
  | { name: "home" }
  | { name: "welcome"; secret: string }
  | { name: "sign-in" }
  | { name: "service"; service: string }
  | { name: "route"; service: string }
  | { name: "explorer" }
  | { name: "errors" }
  | { name: "error"; group: string }
  | { name: "traces" }
  | { name: "trace"; trace: string }
  | { name: "metrics" }
  | { name: "logs" }
  | { name: "inbox" }
  | { name: "firing"; firing: string }
  | { name: "objectives" }
  | { name: "objective"; service: string; objective: string }
  | { name: "rules" }
  | { name: "actionability" }
  | { name: "report" }
  | { name: "channel-test"; test: string }
  | { name: "checks" }
  | { name: "check"; check: string }
  | { name: "sources" }
  | { name: "settings" }
  | { name: "unknown" };

export function pageOf(path: string): Page {
  const [first, second, third, ...more] = path
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  if (first === undefined) return { name: "home" };
  if (more.length > 0) return { name: "unknown" };
  if (first === "welcome" && second !== undefined && third === undefined) {
    return { name: "welcome", secret: second };
  }
  if (first === "services" && second !== undefined) {
    if (third === undefined) return { name: "service", service: second };
    return third === "route" ? { name: "route", service: second } : { name: "unknown" };
  }
  if (first === "objectives" && second !== undefined && third !== undefined) {
    return { name: "objective", service: second, objective: third };
  }
  if (first === "channels" && second === "test" && third !== undefined) {
    return { name: "channel-test", test: third };
  }
  if (third !== undefined) return { name: "unknown" };
  if (first === "errors" && second !== undefined) return { name: "error", group: second };
  if (first === "traces" && second !== undefined) return { name: "trace", trace: second };
  if (first === "firings" && second !== undefined) return { name: "firing", firing: second };
  if (first === "checks" && second !== undefined) return { name: "check", check: second };
  if (second !== undefined) return { name: "unknown" };
  switch (first) {
    case "sign-in":
    case "explorer":
    case "errors":
    case "traces":
    case "metrics":
    case "logs":
    case "inbox":
    case "objectives":
    case "rules":
    case "actionability":
    case "report":
    case "checks":
    case "sources":
    case "settings":
      return { name: first };
    default:
      return { name: "unknown" };
  }
}

const among =
  (...names: Page["name"][]) =>
  ({ name }: Page): boolean =>
    names.includes(name);

/** What these show is of a time that is chosen in the header. */
export const hasTimeRange = among(
  "home",
  "service",
  "route",
  "explorer",
  "errors",
  "error",
  "traces",
  "metrics",
  "logs",
  "checks",
);

/** These have a search of their own. */
export const hasOwnSearch = among("explorer", "traces", "logs");

/** On these a service is one of the filters; elsewhere it is a page of its own. */
export const filtersByService = among(
  "explorer",
  "errors",
  "error",
  "traces",
  "metrics",
  "logs",
  "inbox",
  "objectives",
  "rules",
  "checks",
  "report",
);

/** Pages for people who are not signed in; every other one sends them to the sign-in page. */
export const isOpenToAll = among("welcome", "sign-in");

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Only a path of this very site is a place to return to after signing in. */
export function safeTarget(target: string | null): string {
  if (target === null || !/^\/(?![/\\])/.test(target) || /[\u0000-\u001f]/.test(target)) return "/";
  return pageOf(target.split(/[?#]/)[0] ?? "/").name === "sign-in" ? "/" : target;
}
