/** A Studio on a page of a test, and what a person does to it. */

import { afterEach, beforeEach, vi } from "vitest";
import studio from "../../src/studio/studio";
import { FakeModel, settled, traits } from "../fake";

export let model: FakeModel;
export let el: HTMLElement;
export let leave: () => void = () => undefined;

export function open(state = traits()): void {
  model = new FakeModel(state);
  el = document.createElement("div");
  document.body.append(el);
  leave = studio.render({ model, el });
}

/** Gives every test of a file a clean page; `first` is what it begins with. */
export function onCleanPage(first: () => void = open): void {
  beforeEach(() => {
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
    Element.prototype.scrollIntoView = () => undefined;
    first();
  });
  afterEach(() => {
    leave();
    el.remove();
    vi.restoreAllMocks();
  });
}

export const $ = <T extends HTMLElement = HTMLElement>(selector: string): T => {
  const found = el.querySelector<T>(selector);
  if (!found) throw new Error(`nothing fits ${selector}`);
  return found;
};
export const all = (selector: string): HTMLElement[] => [...el.querySelectorAll<HTMLElement>(selector)];
export const text = (selector: string): string => $(selector).textContent ?? "";

export async function press(key: string, on: Element = document.activeElement ?? $(".cz-studio")): Promise<KeyboardEvent> {
  const event = new KeyboardEvent("keydown", { key, shiftKey: /^[A-Z]$/.test(key), bubbles: true, cancelable: true });
  on.dispatchEvent(event);
  await settled();
  return event;
}

export async function type(input: HTMLInputElement, value: string): Promise<void> {
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
}
