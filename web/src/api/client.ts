// One small wrapper around fetch: problem documents become `ApiProblem`, a missing session is
// told to the app once, and a server that says "later" is asked again at the time it named.
// It never retries a request that changes something.

export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** Column of the filter at fault, from 0, when the server names one. */
    readonly position: number | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail || title);
    this.name = "ApiProblem";
  }
}

export type Query = Record<string, string | number | undefined | null>;

let onSignedOut: () => void = () => {};

/** What to do when the server says that nobody is signed in. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

export function address(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") params.set(key, String(value));
  }
  const text = params.toString();
  return text === "" ? `/api/v1${path}` : `/api/v1${path}?${text}`;
}

export async function get<T extends object>(
  path: string,
  query: Query,
  wants: readonly (keyof T & string)[],
  signal?: AbortSignal,
): Promise<T> {
  return whileAsking(async () => parsed<T>(await asked(address(path, query), signal), wants));
}

/** An answer that is a text of its own, to be copied as it is. */
export async function getText(path: string, query: Query, signal?: AbortSignal): Promise<string> {
  return whileAsking(async () => {
    const answer = await asked(address(path, query), signal);
    if (!answer.ok) throw await problemOf(answer);
    return reached(() => answer.text());
  });
}

async function asked(url: string, signal?: AbortSignal): Promise<Response> {
  let answer = await send(url, { signal: signal ?? null });
  for (let again = 0; again < 2 && isBusy(answer); again += 1) {
    await pause(Math.min(retryAfter(answer) ?? 2, 15), signal);
    answer = await send(url, { signal: signal ?? null });
  }
  return answer;
}

export async function post<T extends object>(
  path: string,
  body: object,
  wants: readonly (keyof T & string)[],
  signal?: AbortSignal,
): Promise<T> {
  const init: RequestInit = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  };
  return parsed<T>(await send(address(path), init), wants);
}

export async function remove(path: string): Promise<void> {
  const answer = await send(address(path), { method: "DELETE" });
  if (!answer.ok) throw await problemOf(answer);
}

let pending = 0;

/** Whether something that is read again by itself has not been answered yet. */
export const isAsking = (): boolean => pending > 0;

/**
 * From the question to the last byte of the answer, with the wait that a busy server asks for. What somebody does, which
 * may take minutes, is asked once and holds nothing up: that is not counted.
 */
async function whileAsking<T>(work: () => Promise<T>): Promise<T> {
  pending += 1;
  try {
    return await work();
  } finally {
    pending -= 1;
  }
}

const send = (url: string, init: RequestInit): Promise<Response> =>
  reached(() => fetch(url, { ...init, credentials: "same-origin" }));

/** A connection that breaks is one problem, whether before the answer or in the middle of it. */
async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiProblem(0, "unreachable", "");
  }
}

async function parsed<T extends object>(
  answer: Response,
  wants: readonly (keyof T & string)[],
): Promise<T> {
  if (!answer.ok) throw await problemOf(answer);
  if (answer.status === 204) return {} as T;
  return shaped<T>(jsonOf(await reached(() => answer.text())), wants);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The fields that a page cannot do without are there, or the answer is refused as a whole. */
export function shaped<T extends object>(value: unknown, wants: readonly (keyof T & string)[]): T {
  if (typeof value !== "object" || value === null) {
    throw new ApiProblem(0, "unexpected answer", "expected a JSON object");
  }
  const missing = wants.filter((key) => !(key in value));
  if (missing.length > 0) {
    throw new ApiProblem(0, "unexpected answer", `missing: ${missing.join(", ")}`);
  }
  return value as T;
}

function isBusy(answer: Response): boolean {
  return answer.status === 429 || answer.status === 503;
}

function retryAfter(answer: Response): number | null {
  const header = answer.headers.get("retry-after");
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    // Aborted already: no event comes any more.
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

export async function problemOf(answer: Response): Promise<ApiProblem> {
  const body: unknown = await answer.json().catch(() => null);
  const text = (key: string): string => {
    const value: unknown =
      typeof body === "object" && body !== null ? Reflect.get(body, key) : undefined;
    return typeof value === "string" ? value : "";
  };
  const position: unknown =
    typeof body === "object" && body !== null ? Reflect.get(body, "position") : undefined;
  const problem = new ApiProblem(
    answer.status,
    text("title") || answer.statusText,
    text("detail"),
    typeof position === "number" ? position : null,
    retryAfter(answer),
  );
  const signingIn = new URL(answer.url, "http://localhost").pathname.startsWith("/api/v1/session");
  if (answer.status === 401 && !signingIn) onSignedOut();
  return problem;
}
