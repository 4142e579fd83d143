import { afterEach, beforeEach, expect, it, vi } from "vitest";
import labelling from "../../src/labelling/labelling";
import { detailsOf, sameDetails, toggled } from "../../src/labelling/judging";
import type { PairCue, Question } from "../../src/labelling/labelling_payload";
import { FakeKernel, settled } from "./fake_labelling";

let element: HTMLElement;
let unmount: () => void = () => undefined;

beforeEach(() => {
  localStorage.clear();
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 1000));
  HTMLImageElement.prototype.decode = () => Promise.resolve();
  vi.stubGlobal("requestAnimationFrame", (draw: FrameRequestCallback) => (queueMicrotask(() => draw(0)), 0));
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
  element.remove();
});

function cue(words: string, change: Partial<PairCue> = {}): PairCue {
  return { words, for: true, grade: "strong", long: 0.5, percent: 30, interval: [25, 35], differs: false, fails: [], tested: [], ...change };
}

function pair(plain: Question): Question {
  const same = { cues: [cue("short legs")], remarks: ["not explained: 10 % [5, 15]"] };
  return {
    ...plain, type: "", seen: [], heat: [0, 0],
    pair: {
      agreement: [[], []],
      classes: [
        { name: "husky", differs: true, sides: [{ cues: [cue("snow", { differs: true, fails: ["D′"] })], remarks: [] }, { cues: [cue("pointed ears", { differs: true })], remarks: [] }] },
        { name: "corgi", differs: false, sides: [same, same] },
      ],
    },
  };
}

async function open(kernel: FakeKernel): Promise<FakeKernel> {
  unmount = labelling.render({ model: kernel, el: element });
  await settled();
  return kernel;
}

const compare = () => new FakeKernel(["q1", "q2", "q3"], "mira", { screen: "compare", card: [] }, pair, ["a", "b", "equal", "both implausible"]);
const words = () => new FakeKernel(["q1", "q2"], "mira", { screen: "hypothesis", card: [] }, (q) => ({ ...q, seen: [], asks: "What does husky look like?" }), ["snow", "curled tail"]);

function part(selector: string): HTMLElement {
  const found = element.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

function press(key: string, on: Element = part(".cz-labelling")): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  on.dispatchEvent(event);
  return event;
}

it("shows first where two cards differ, and the rest when asked", async () => {
  await open(compare());
  const names = () => [...element.querySelectorAll(".cz-pair-class .cz-entry-name")].map((e) => e.textContent);
  expect(names()).toEqual(["husky"]);
  expect(part("[data-side=a]").textContent).toContain("words fail on D′");
  expect(part(".cz-arrow").getAttribute("aria-label")).toBe("Reason: snow speaks for husky, strong, 30\u00a0% [25, 35]");
  part("[data-cz=alike]").click();
  await settled();
  expect(names()).toEqual(["husky", "corgi"]);
});

it("sends what was pointed at and written with the choice, and no more than was left pointed at", async () => {
  const kernel = await open(compare());
  part("[data-side=a] .cz-arrow").click();
  part("[data-side=a] .cz-pair-words").click();
  await settled();
  part("[data-side=a] .cz-pair-words").click();
  await settled();
  expect(part("[data-side=a] .cz-arrow").getAttribute("aria-pressed")).toBe("true");
  const note = part("[data-cz=note]") as HTMLTextAreaElement;
  note.value = "the ground";
  note.dispatchEvent(new Event("input", { bubbles: true }));
  press("2", note);
  expect(kernel.stored.size).toBe(0);
  press("2");
  await settled();
  expect(kernel.stored.get("q1")).toBe("b");
  expect(kernel.details.get("q1")).toEqual({ reasons: [{ side: "a", class: "husky", words: "snow", part: "arrow" }], note: "the ground" });
  expect(part("[data-side=a] .cz-arrow").getAttribute("aria-pressed")).toBe("false");
  expect(part(".cz-thumb").textContent).toContain("B");
});

it("gives reasons back with an answer that is taken back", async () => {
  const kernel = await open(compare());
  part("[data-side=b] .cz-pair-words").click();
  press("4");
  await settled();
  expect(kernel.stored.get("q1")).toBe("both implausible");
  press("Backspace");
  await settled();
  expect(kernel.stored.size).toBe(0);
  expect(part("[data-side=b] .cz-pair-words").getAttribute("aria-pressed")).toBe("true");
});

it("has no key for what a comparison has not", async () => {
  const kernel = await open(compare());
  press("x");
  press("m");
  press("5");
  await settled();
  expect(kernel.stored.size).toBe(0);
  expect(element.querySelector("[data-choice='not usable']")).toBeNull();
  press("0");
  await settled();
  expect(kernel.stored.get("q1")).toBe("cannot tell");
  expect(kernel.details.get("q1")).toBeUndefined();
});

it("says what is to be seen by key alone", async () => {
  const kernel = await open(words());
  expect(part("[data-cz=asks]").textContent).toBe("What does husky look like?");
  press("Enter");
  await settled();
  expect(kernel.stored.size).toBe(0);
  expect(part("[data-cz=refused]").textContent).toContain("Nothing is said yet");
  press("1");
  press("2");
  press("1");
  await settled();
  press("/");
  const text = part("[data-cz=written]") as HTMLInputElement;
  expect(document.activeElement).toBe(text);
  text.value = "blue eyes";
  text.dispatchEvent(new Event("input", { bubbles: true }));
  press("1", text);
  press("Enter", text);
  await settled();
  expect(kernel.stored.get("q1")).toBe("written");
  expect(kernel.details.get("q1")).toEqual({ words: ["curled tail"], text: "blue eyes" });
  expect(part(".cz-thumb").textContent).toContain("curled tail, blue eyes");
});

it("lets Enter on a word press that word and not send the answer", async () => {
  const kernel = await open(words());
  press("1");
  await settled();
  expect(press("Enter", part(".cz-word-chip")).defaultPrevented).toBe(false);
  await settled();
  expect(kernel.stored.size).toBe(0);
});

it("shows activity in words and steps where the picture is hidden, and no picture", async () => {
  const sign = { words: "snow", step: 4, grade: "much more than usual", place: ["90", "00"], placeName: "top left", units: ["conv:1"] };
  const less = { words: "curly coat", step: -1, grade: "less than usual", place: [], placeName: "", units: ["conv:2"] };
  const kernel = await open(new FakeKernel(["q1", "q2"], "mira", { screen: "hidden" }, (q) => ({ ...q, type: "", seen: [], activity: [sign, less] })));
  expect(element.querySelector("[data-cz=picture]")).toBeNull();
  const rows = [...element.querySelectorAll(".cz-activity-row")].map((row) => row.textContent);
  expect(rows).toEqual(["snowmuch more than usualtop left", "curly coatless than usual"]);
  const bars = [...element.querySelectorAll(".cz-activity-row")].map((row) => row.querySelectorAll("i[data-on=true]").length);
  expect(bars).toEqual([4, 1]);
  expect(part("[data-cz=card]").textContent).toContain("more than usual");
  press("1");
  await settled();
  expect(kernel.stored.get("q1")).toBe("husky");
});

it("keeps details apart from choices", () => {
  expect(detailsOf("label", "husky", { note: "x" })).toBeUndefined();
  expect(detailsOf("compare", "a", { note: "  " })).toBeUndefined();
  expect(sameDetails({ note: "" }, undefined)).toBe(true);
  expect(sameDetails({ words: ["a"] }, { words: ["b"] })).toBe(false);
  expect(toggled(["a", "b"], "a", String)).toEqual(["b"]);
});
