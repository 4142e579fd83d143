/** One key, one decision. Nothing typed here reaches the notebook. */

import { meantKey } from "../parts/keys";
import { WRITTEN, noun, toggled } from "./judging";
import type { ScreenKind } from "./labelling_payload";
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
  ["/", "find a class by name, where there are many: Enter takes the one that is left, ↓ goes to them"],
  ["?", "this help"],
  ["Esc", "close, or go back to the next picture"],
];

const OWN: Record<ScreenKind, [string, string][]> = {
  label: [],
  hidden: [["1 … 9", "the class with that number"]],
  compare: [
    ["1  2", "A is more plausible, or B"],
    ["3", "about equal"],
    ["4", "both implausible"],
    ["Tab  Enter", "go to a sign's arrow or words, and point at it as your reason"],
    ["/", "write why; Esc leaves the field"],
  ],
  hypothesis: [
    ["1 … 9", "choose the word with that number, or take it back"],
    ["/", "write words of your own"],
    ["Enter", "say it"],
  ],
};
/** Keys that stand for picture, classes or signs alone. */
const OF_PICTURES = new Set(["1 … 9", "y  n", "x", "m"]);

/** The keys of a screen, for its help. */
export function keysOf(screen: ScreenKind): [string, string][] {
  if (screen === "label") return LABELLING_KEYS;
  const rest = LABELLING_KEYS.filter(([key]) => !OF_PICTURES.has(key) && (key !== "/" || screen === "hidden"));
  return [...OWN[screen], ...rest].map(([key, what]) => [key, what.replace("next picture", `next ${noun(screen)}`)]);
}

function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return element?.matches?.("input, textarea, select") ?? false;
}

export interface Focus {
  root: () => void;
  filter: () => void;
  /** The first of the classes that a filter leaves. */
  offered: () => void;
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
    typed(store, focus, event);
    return;
  }
  const key = meantKey(event);
  // A held key must not answer the pictures that follow, nor press a button that keeps the focus.
  if (event.repeat && event.key !== "ArrowLeft" && event.key !== "ArrowRight") {
    if (act.handles(key) || event.key === "Enter" || event.key === " ") event.preventDefault();
    return;
  }
  // Enter on a button presses it.
  if (key === "Enter" && (event.target as HTMLElement | null)?.closest?.("button")) return;
  if (act(store, focus, key)) event.preventDefault();
}

/** Enter in the field that finds a class chooses the one that is left, and never one of several. */
function typed(store: LabellingStore, focus: Focus, event: KeyboardEvent): void {
  if ((event.target as HTMLElement).dataset.cz === "written" && event.key === "Enter") {
    event.preventDefault();
    if (!event.repeat && store.choose(WRITTEN)) focus.root();
    return;
  }
  if ((event.target as HTMLElement).dataset.cz !== "filter") return;
  if (event.key === "ArrowDown") {
    event.preventDefault();
    focus.offered();
    return;
  }
  if (event.key !== "Enter") return;
  event.preventDefault();
  if (event.repeat) return;
  const [only, ...more] = store.offered;
  if (store.view.filter.trim() === "") store.refuse("Nothing is typed yet: a part of the name, then Enter.");
  else if (only === undefined) store.refuse("No class of that name.");
  else if (more.length > 0) store.refuse(`${more.length + 1} classes are left: type more, or go to one with ↓.`);
  else if (store.choose(only)) focus.root();
}

function act(store: LabellingStore, focus: Focus, key: string): boolean {
  if (store.rater === "") return false;
  if (store.screen === "hypothesis" && key !== "0") {
    const word = /^[1-9]$/.test(key) ? store.options[Number(key) - 1] : undefined;
    if (word !== undefined) store.setDraft({ words: toggled(store.draft.words ?? [], word, String) });
    if (key === "Enter") store.choose(WRITTEN);
    if (/^[1-9xym]$/.test(key) || key === "Enter") return true;
  }
  if (store.screen !== "label" && (key === "x" || key === "m")) return false;
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
    case "g":
      if (store.grid.offered) store.turnGrid(true);
      return store.grid.offered;
    case "?":
      store.set({ help: true });
      return true;
  }
  return false;
}

act.handles = (key: string): boolean => /^[0-9xlmyn/?]$|^Backspace$/.test(key);
