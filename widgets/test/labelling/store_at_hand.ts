/** A labelling store with a kernel that answers, and a clock that the test sets. */

import { afterEach, beforeEach, vi } from "vitest";
import { LabellingStore } from "../../src/labelling/labelling_store";
import { FakeKernel, settled } from "./fake_labelling";

export let kernel: FakeKernel;
export let store: LabellingStore;
let now = 0;
export const clock = (): number => now;

export function pass(ms: number): void {
  now += ms;
}

/** A store for this kernel, in the place of the one at hand. */
export function begin(fake: FakeKernel = new FakeKernel()): void {
  kernel = fake;
  store = new LabellingStore(kernel, clock);
}

/** The picture is drawn, and somebody looks at it. */
export function look(ms = 300): void {
  if (store.view.current !== null) store.drawn(store.view.current, false);
  pass(ms);
}

export function answer(choice: string): boolean {
  look();
  return store.choose(choice);
}

/** Gives every test of a file a new store. */
export function withNewStore(): void {
  beforeEach(async () => {
    localStorage.clear();
    begin();
    await settled();
  });
  afterEach(() => {
    store.close();
    vi.useRealTimers();
  });
}
