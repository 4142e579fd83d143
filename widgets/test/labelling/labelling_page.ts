/** A labelling screen on a page, and a clock and pictures that the test may set. */

import { afterEach, beforeEach, vi } from "vitest";
import labelling from "../../src/labelling/labelling";
import { FakeKernel, settled } from "./fake_labelling";

export let element: HTMLElement;
let unmount: () => void = () => undefined;
let now = 0;
let drawing: () => Promise<void>;

/** Time passes on a clock that stands still otherwise. */
export function pass(ms: number): void {
  now += ms;
}

/** How pictures are drawn from now on. */
export function draw(how: () => Promise<void>): void {
  drawing = how;
}

/**
 * Give every test of a file a new page.
 *
 * @param tick what passes whenever somebody looks at the clock, in ms; a picture is drawn at once
 */
export function withNewPage(tick = 1000): void {
  beforeEach(() => {
    localStorage.clear();
    now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (now += tick));
    drawing = () => Promise.resolve();
    HTMLImageElement.prototype.decode = () => drawing();
    vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => (queueMicrotask(() => frame(0)), 0));
    URL.createObjectURL = () => "blob:picture";
    URL.revokeObjectURL = () => undefined;
    HTMLCanvasElement.prototype.getContext = () => null;
    element = document.createElement("div");
    document.body.append(element);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    unmount();
    unmount = () => undefined;
    element.remove();
  });
}

/** Open the screen; a second time it is a page opened again, with the browser's memory alone. */
export async function open(kernel: FakeKernel): Promise<FakeKernel> {
  unmount();
  element.innerHTML = "";
  unmount = labelling.render({ model: kernel, el: element });
  await settled();
  return kernel;
}

export function part<E extends HTMLElement = HTMLElement>(selector: string): E {
  const found = element.querySelector<E>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

export const root = (): HTMLElement => part(".cz-labelling");

export function press(key: string, on: Element = root(), repeat = false): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, repeat });
  on.dispatchEvent(event);
  return event;
}

/** What a hand would write into a field. */
export function write(text: string, field: HTMLInputElement | HTMLTextAreaElement): void {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
