/** Keys of a page of pictures. Nothing typed here reaches the notebook. */

import { meantKey } from "../parts/keys";
import type { LabellingStore } from "./labelling_store";

export const GRID_KEYS: [string, string][] = [
  ["← → ↑ ↓", "go from picture to picture"],
  ["Space", "this picture shows it, or does not after all"],
  ["-  0", "cannot tell"],
  ["x", "not usable: broken, or nothing of the kind"],
  ["Enter", "answer the page: what is not marked does not show it"],
  ["u", "take the last page back"],
  ["g", "one picture at a time, or a page of them"],
  ["?", "this help"],
  ["Esc", "close"],
];

const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

export function onGridKey(store: LabellingStore, focusRoot: () => void, event: KeyboardEvent): void {
  event.stopPropagation();
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    event.preventDefault();
    store.set({ help: false });
    focusRoot();
    return;
  }
  if (store.view.help || (event.target as HTMLElement | null)?.matches?.("input, textarea, select")) return;
  const key = meantKey(event);
  // A held key goes on through the pictures, and marks or answers nothing twice.
  if (event.repeat && !ARROWS.has(key)) {
    event.preventDefault();
    return;
  }
  // Buttons that are no pictures are pressed as buttons are.
  const button = (event.target as HTMLElement | null)?.closest?.("button:not(.cz-tile)");
  if (button && (key === "Enter" || key === " ")) return;
  if (act(store, key)) event.preventDefault();
}

function act(store: LabellingStore, key: string): boolean {
  const { grid } = store;
  if (store.rater === "") return false;
  const id = grid.ids[grid.at];
  switch (key) {
    case "ArrowLeft":
      grid.move(-1);
      return true;
    case "ArrowRight":
      grid.move(1);
      return true;
    case "ArrowUp":
      if (grid.at >= grid.columns) grid.move(-grid.columns);
      return true;
    case "ArrowDown":
      if (grid.at + grid.columns < grid.ids.length) grid.move(grid.columns);
      return true;
    case "Home":
      grid.moveTo(0);
      return true;
    case "End":
      grid.moveTo(grid.ids.length - 1);
      return true;
    case " ":
      grid.toggle(id, "yes");
      return true;
    case "-":
    case "0":
      grid.toggle(id, "cannot");
      return true;
    case "x":
      grid.toggle(id, "discard");
      return true;
    case "Enter":
      grid.submit();
      return true;
    case "u":
    case "Backspace":
      grid.undo();
      return true;
    case "g":
      store.turnGrid(false);
      return true;
    case "?":
      store.set({ help: true });
      return true;
  }
  return false;
}
