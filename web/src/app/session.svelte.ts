// Who is signed in. A page that needs a session sends people to the sign-in page and back.

import { readSession, signOut as endSession } from "../api/endpoints";
import { ApiProblem, whenSignedOut } from "../api/client";
import type { Session } from "../api/types";
import { isOpenToAll } from "./pages";
import { setServerZone } from "./prefs.svelte";
import { fullPath, navigate, page } from "./router.svelte";

const state = $state<{ session: Session | null; problem: ApiProblem | null }>({
  session: null,
  problem: null,
});

export const session = (): Session | null => state.session;
export const sessionProblem = (): ApiProblem | null => state.problem;

export async function refreshSession(): Promise<void> {
  try {
    const found = await readSession();
    state.session = found;
    state.problem = null;
    setServerZone(found.time_zone);
    if (!found.signed_in) askToSignIn();
  } catch (cause) {
    state.problem = cause instanceof ApiProblem ? cause : new ApiProblem(0, "unreachable", "");
  }
}

export function askToSignIn(): void {
  if (isOpenToAll(page())) return;
  if (state.session?.signed_in) state.session = { ...state.session, signed_in: false };
  navigate(`/sign-in?next=${encodeURIComponent(fullPath())}`, "replace");
}

export async function signOut(): Promise<void> {
  await endSession();
  if (state.session) state.session = { ...state.session, signed_in: false, user: null };
  navigate("/sign-in");
}

whenSignedOut(askToSignIn);
