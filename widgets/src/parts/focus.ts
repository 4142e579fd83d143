/** Keys go on working when what had the focus vanishes. */

import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Give the focus to a screen when something in it that had the focus was removed or disabled: the
 * keys would otherwise go to the notebook, or nowhere. A screen that has the page to itself, as when
 * it is served, also takes it when nobody has it. It is never taken from anything else.
 *
 * @param root the screen, focusable
 */
export function useKeptFocus(root: RefObject<HTMLElement>): void {
  const inside = useRef(false);
  const take = () => {
    const element = root.current;
    const active = document.activeElement;
    const lost = active === document.body || (active instanceof HTMLButtonElement && active.disabled && element?.contains(active));
    if (element && lost && (inside.current || document.body.dataset.voila !== undefined)) element.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    const came = () => {
      inside.current = true;
    };
    const left = (event: FocusEvent) => {
      const target = event.target as HTMLElement;
      // Browsers differ in whether an element that is being removed says so, and when.
      setTimeout(() => {
        if (element.contains(document.activeElement)) return;
        if (target.isConnected) inside.current = false;
        else take();
      }, 0);
    };
    // What is inside took the focus first, if it wanted it: children's effects run before.
    if (element.contains(document.activeElement)) came();
    element.addEventListener("focusin", came);
    element.addEventListener("focusout", left);
    return () => {
      element.removeEventListener("focusin", came);
      element.removeEventListener("focusout", left);
    };
  }, [root]);
  // With the change itself, or a key pressed before the next paint is lost; and once more after
  // it, for browsers that move the focus late.
  useLayoutEffect(() => {
    take();
    const timer = setTimeout(take, 0);
    return () => clearTimeout(timer);
  });
}
