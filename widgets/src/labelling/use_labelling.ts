/** Hands the store to every part of the labelling screen. */

import { createContext } from "preact";
import { useContext, useLayoutEffect, useReducer } from "preact/hooks";
import type { LabellingStore } from "./labelling_store";

export const LabellingContext = createContext<LabellingStore | null>(null);

/** The store; the part that asks is drawn again whenever it changes. */
export function useLabelling(): LabellingStore {
  const store = useContext(LabellingContext);
  if (!store) throw new Error("no store");
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useLayoutEffect(() => store.subscribe(() => redraw(undefined)), [store]);
  return store;
}
