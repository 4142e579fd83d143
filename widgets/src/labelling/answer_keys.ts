/** One key, one decision. Nothing typed here reaches the notebook. */

import type { LabellingStore } from "./labelling_store";

export const MOST_KEYS = 9;

export const LABELLING_KEYS: [string, string][] = [
  ["1 … 9", "the class with that number"],
  ["y  n", "yes or no, where that is asked"],
  ["0", "cannot tell"],
  ["x", "not usable: broken, or nothing of the kind"],
  ["l", "later: comes back at the end"],
  ["Backspace", "take the last answer back"],
  ["←  →", "among the last ten answers, to change one"],
  ["m", "show where the model sees each sign, one after the other"],
  ["/", "find a class by name, where there are many"],
  ["?", "this help"],
  ["Esc", "close, or go back to the next picture"],
];

function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return element?.matches?.("input, textarea, select") ?? false;
}

export interface Focus {
  root: () => void;
  filter: () => void;
}

export function onLabellingKey(store: LabellingStore, focus: Focus, event: KeyboardEvent): void {
  // Lumino listens in the capture phase and is told by an attribute; this is for other notebooks.
  event.stopPropagation();
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    event.preventDefault();
    if (store.view.help) store.set({ help: false });
    else if (store.view.filter !== "" || typing(event.target)) store.set({ filter: "" });
    else if (store.editing) store.open(null);
    focus.root();
    return;
  }
  if (store.view.help) return;
  if (typing(event.target)) {
    if (event.key === "Enter" && (event.target as HTMLElement).dataset.cz === "filter") {
      const only = store.offered[0];
      event.preventDefault();
      if (only !== undefined) store.choose(only);
      focus.root();
    }
    return;
  }
  // A held key must not answer the pictures that follow.
  if (event.repeat && event.key !== "ArrowLeft" && event.key !== "ArrowRight") {
    if (act.handles(event.key)) event.preventDefault();
    return;
  }
  if (act(store, focus, event.key)) event.preventDefault();
}

function act(store: LabellingStore, focus: Focus, key: string): boolean {
  if (store.rater === "") return false;
  if (/^[1-9]$/.test(key)) {
    const choice = store.offered[Number(key) - 1];
    if (choice !== undefined) store.choose(choice);
    return true;
  }
  switch (key) {
    case "y":
    case "n": {
      const choice = key === "y" ? "yes" : "no";
      if (!store.options.includes(choice)) return false;
      store.choose(choice);
      return true;
    }
    case "0":
      store.choose(store.pack.cannot);
      return true;
    case "x":
      store.choose(store.pack.discard);
      return true;
    case "l":
      store.later();
      return true;
    case "Backspace":
      store.undo();
      return true;
    case "ArrowLeft":
      store.step(-1);
      return true;
    case "ArrowRight":
      store.step(1);
      return true;
    case "m": {
      const count = store.question(store.view.current)?.question.seen.length ?? 0;
      const at = store.view.mark ?? -1;
      store.mark(at + 1 < count ? at + 1 : -1);
      return true;
    }
    case "/":
      focus.filter();
      return true;
    case "?":
      store.set({ help: true });
      return true;
  }
  return false;
}

act.handles = (key: string): boolean => /^[0-9xlmyn/?]$|^Backspace$/.test(key);
