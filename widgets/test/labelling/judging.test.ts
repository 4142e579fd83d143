import { expect, it } from "vitest";
import { detailsOf, sameDetails, toggled } from "../../src/labelling/judging";
import { FakeKernel, settled } from "./fake_labelling";
import { compare, words } from "./fake_judging";
import { element, open, part, press, withNewPage, write } from "./labelling_page";

withNewPage();

it("shows first where two cards differ, and the rest when asked", async () => {
  await open(compare());
  const names = () => [...element.querySelectorAll(".cz-pair-class .cz-entry-name")].map((e) => e.textContent);
  expect(names()).toEqual(["husky"]);
  expect(part("[data-side=a]").textContent).toContain("words fail on D′");
  expect(part(".cz-arrow").getAttribute("aria-label")).toBe("Reason: snow on husky counts for, strong, 30\u00a0% [25, 35]");
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
  const note = part<HTMLTextAreaElement>("[data-cz=note]");
  write("the ground", note);
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
  const text = part<HTMLInputElement>("[data-cz=written]");
  expect(document.activeElement).toBe(text);
  write("blue eyes", text);
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
  // On the card, too, it is said of each sign; less than usual is not highlighted as seen.
  const marked = [...element.querySelectorAll(".cz-entry:first-of-type .cz-cue")].map((cue) => [cue.getAttribute("data-here"), cue.querySelector(".cz-here")?.textContent]);
  expect(marked).toEqual([["true", " · more than usual"], ["false", " · less than usual"]]);
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
