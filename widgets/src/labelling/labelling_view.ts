/** What the labelling screen shows right now. */

import type { LinkState } from "../link/link";
import type { Failure } from "../studio/studio_payload";

export interface View {
  link: LinkState;
  /** The question on the screen; null when there is none. */
  current: string | null;
  help: boolean;
  filter: string;
  /** Which of the signs seen is shown on the picture; -1 for none, null for all at once. */
  mark: number | null;
  notice: (Failure & { lasting: boolean }) | null;
  said: string;
  /** Why what was done last counts for nothing; it is shown for a moment. */
  refused: string;
  /** Something is being asked that the screen has to wait for. */
  busy: boolean;
}

export function firstView(): View {
  return {
    link: "ok", current: null, help: false, filter: "", mark: -1, notice: null, said: "", refused: "", busy: false,
  };
}
