/** Hands the store to every part of the screen. */

import { createContext } from "preact";
import { useContext, useLayoutEffect, useReducer } from "preact/hooks";
import type { Store } from "./store";

export const StoreContext = createContext<Store | null>(null);

/** The store; the part that asks is drawn again whenever it changes. */
export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error("no store");
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useLayoutEffect(() => store.subscribe(() => redraw(undefined)), [store]);
  return store;
}
