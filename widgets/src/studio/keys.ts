/** One key, one action. Nothing typed here reaches the notebook. */

import { meantKey } from "../parts/keys";
import { pressesAgain } from "../parts/once";
import type { Store } from "./store";
import type { Tab } from "./view";

export const KEYS: [string, string][] = [
  ["←  ↑  ↓  →", "move among the units"],
  ["/", "search units"],
  ["e", "edit the words of the unit"],
  ["Enter", "save the words · in a list: open"],
  ["u", "undo the last edit"],
  ["r  or  Shift+u", "redo"],
  ["x", "look closer at an exemplar: ← → choose, Enter opens"],
  ["v", "optimise inputs for the unit"],
  ["f", "next finding"],
  ["Shift+f", "previous finding"],
  ["1  2  3  4  5", "units, findings, classes, circuits, concepts"],
  ["Space", "in a circuit: hold the node and watch the outputs"],
  ["m  g  n  s  u", "in a circuit: mark nodes, merge them, rename, split, undo"],
  ["h", "where the unit responds, on or off"],
  ["c", "frame of what the unit sees, on or off"],
  ["?", "this help"],
  ["Esc", "close, leave the field, then leave the screen"],
];

const TABS: Tab[] = ["units", "findings", "classes", "graph", "concepts"];

function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return element?.matches?.("input:not([type=range]):not([type=checkbox]), textarea, select") ?? false;
}

/** Handles a key for the whole screen. */
export function onKey(store: Store, columns: () => number, event: KeyboardEvent): void {
  // Lumino listens in the capture phase and is told by an attribute; this is for other notebooks.
  event.stopPropagation();
  if (event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    store.say("Edits are written as you make them.");
    return;
  }
  if (event.key === "Escape") {
    event.preventDefault();
    escape(store, event);
    return;
  }
  if (pressesAgain(event)) {
    event.preventDefault();
    return;
  }
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (act(store, columns(), event)) event.preventDefault();
}

function escape(store: Store, event: KeyboardEvent): void {
  const { help, notice } = store.view;
  if (help) {
    store.set({ help: false });
    store.focusOn("grid");
  } else if (notice) {
    store.set({ notice: null });
  } else if (typing(event.target) || !inGrid(event.target)) {
    store.focusOn("grid");
  } else {
    (event.target as HTMLElement | null)?.blur();
  }
}

function inGrid(target: EventTarget | null): boolean {
  return (target as HTMLElement | null)?.closest?.("[data-cz-list]") !== null;
}

function act(store: Store, columns: number, event: KeyboardEvent): boolean {
  const listed = inGrid(event.target) || (event.target as HTMLElement | null)?.matches?.(".cz-studio");
  const grid = listed === true && store.view.tab === "units";
  const key = meantKey(event);
  // Caps Lock changes no key's meaning, Shift does. Held, a key takes back one edit and not all.
  const named = event.shiftKey && /^[a-z]$/.test(key) ? key.toUpperCase() : key;
  if (event.repeat && /^[urU]$/.test(named)) return true;
  switch (named) {
    case "?":
      store.set({ help: true });
      return true;
    case "/":
      store.set({ tab: "units" });
      store.focusOn("search");
      return true;
    case "e":
      store.focusOn("editor");
      return true;
    case "x":
      store.focusOn("exemplars");
      return true;
    case "v":
      store.focusOn("visuals");
      return true;
    case "u":
      void store.undo();
      return true;
    case "r":
    case "U":
      void store.redo();
      return true;
    case "f":
      store.next(1);
      return true;
    case "F":
      store.next(-1);
      return true;
    case "h":
      store.set({ heat: !store.view.heat });
      return true;
    case "c":
      store.set({ crop: !store.view.crop });
      return true;
    case "1":
    case "2":
    case "3":
    case "4":
    case "5":
      store.set({ tab: TABS[Number(named) - 1] ?? "units" });
      store.focusOn("grid");
      return true;
  }
  if (!grid) return false;
  switch (event.key) {
    case "ArrowLeft":
      store.move(-1);
      return true;
    case "ArrowRight":
      store.move(1);
      return true;
    case "ArrowUp":
      store.move(-columns);
      return true;
    case "ArrowDown":
      store.move(columns);
      return true;
    case "PageUp":
      store.move(-3 * columns);
      return true;
    case "PageDown":
      store.move(3 * columns);
      return true;
    case "Home":
      store.move(-store.shown().length);
      return true;
    case "End":
      store.move(store.shown().length);
      return true;
    case "Enter":
      store.focusOn("editor");
      return true;
  }
  return false;
}
