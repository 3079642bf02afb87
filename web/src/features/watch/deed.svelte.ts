// Something that a person does: busy while it is on its way, and what the server said when it refused. Nothing on the
// page changes before the server has said so.

import { ApiProblem } from "../../api/client";
import * as text from "../../app/text";

export interface Deed {
  readonly busy: boolean;
  readonly problem: string | null;
  /** Whether it was done. A second press while the first is on its way does nothing. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
}

export function deed(): Deed {
  const state = $state<{ busy: boolean; problem: string | null }>({ busy: false, problem: null });
  return {
    get busy() {
      return state.busy;
    },
    get problem() {
      return state.problem;
    },
    async run(work) {
      if (state.busy) return false;
      state.busy = true;
      state.problem = null;
      try {
        await work();
        return true;
      } catch (cause) {
        state.problem = cause instanceof ApiProblem ? text.problemText(cause) : String(cause);
        return false;
      } finally {
        state.busy = false;
      }
    },
  };
}
