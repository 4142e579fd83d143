/** The focus goes back where somebody was typing or pointing when the page was left. */

import { useLayoutEffect } from "preact/hooks";
import type { RefObject } from "preact";
import type { LabellingStore } from "./labelling_store";

/**
 * Remember which part that belongs to a draft has the focus, and give it back on a page opened again.
 *
 * The parts are those with `data-draft`. The focus is never taken from what lies outside the screen;
 * and where the screen is not in the page yet, or something else has the focus, it is given back as
 * soon as the screen gets it.
 */
export function useDraftFocus(store: LabellingStore, root: RefObject<HTMLElement>): void {
  const { current } = store.view;
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    const came = ({ target }: FocusEvent) => {
      if (target === element && giveBack(store, element)) return;
      store.draftAt((target as HTMLElement).dataset.draft ?? "");
    };
    element.addEventListener("focusin", came);
    return () => element.removeEventListener("focusin", came);
  }, [store]);
  useLayoutEffect(() => {
    const element = root.current;
    const active = document.activeElement;
    if (element && (active === null || active === document.body || element.contains(active))) giveBack(store, element);
  }, [store, current]);
}

function giveBack(store: LabellingStore, screen: HTMLElement): boolean {
  const at = store.leftAt;
  const part = [...screen.querySelectorAll<HTMLElement>("[data-draft]")].find((one) => one.dataset.draft === at);
  if (at === "" || !part?.isConnected) return false;
  store.leftAt = "";
  part.focus();
  // One goes on writing at the end.
  if (part instanceof HTMLInputElement || part instanceof HTMLTextAreaElement) part.setSelectionRange(part.value.length, part.value.length);
  return true;
}
