/** Lets a change be drawn at once where what follows needs the elements, and batched otherwise. */

import { options } from "preact";

let pending: (() => void) | null = null;

options.debounceRendering = (draw) => {
  pending = draw;
  queueMicrotask(flush);
};

export function flush(): void {
  const draw = pending;
  pending = null;
  draw?.();
}
