import { expect, it } from "vitest";
import { columns } from "../../src/labelling/frame";
import { FakeKernel, settled } from "./fake_labelling";
import { element, open, press, root, withNewPage } from "./labelling_page";

withNewPage();

it("prints the key on every choice and answers by it", async () => {
  const kernel = await open(new FakeKernel());
  const shown = [...element.querySelectorAll(".cz-choice")].map((b) => b.textContent);
  expect(shown).toEqual(["1husky", "2corgi", "3poodle"]);
  expect(press("2").defaultPrevented).toBe(true);
  await settled();
  expect(kernel.stored.get("q1")).toBe("corgi");
  press("0");
  await settled();
  press("x");
  await settled();
  expect(kernel.stored.get("q2")).toBe("cannot tell");
  expect(kernel.stored.get("q3")).toBe("not usable");
  expect(element.querySelector("[data-cz=progress]")?.textContent).toContain("3 answered · 3 left");
});

it("lets no key reach the notebook, and none that is held answer twice", async () => {
  const kernel = await open(new FakeKernel());
  let heard = 0;
  const listener = () => (heard += 1);
  document.addEventListener("keydown", listener);
  press("1");
  press("1", root(), true);
  press("a");
  await settled();
  document.removeEventListener("keydown", listener);
  expect(heard).toBe(0);
  expect(kernel.stored.size).toBe(1);
});

it("shows the card in the order of the buttons, marks what is seen, and says it in words", async () => {
  await open(new FakeKernel());
  const names = [...element.querySelectorAll(".cz-entry-name")].map((e) => e.textContent);
  expect(names).toEqual(["husky", "corgi", "poodle"]);
  const seen = element.querySelector(".cz-cue[data-here=true]");
  expect(seen?.textContent).toContain("seen here");
  expect(seen?.textContent).toContain("strong");
  expect(element.querySelector(".cz-entry h4")?.textContent).toContain("not explained: 10 % [5, 20]");
  press("m");
  await settled();
  expect(element.querySelector("figcaption")?.textContent).toBe("marked: snow");
  expect(element.querySelector(".cz-guidelines")?.textContent).toContain("Take your time.");
});

it("undoes by Backspace and opens earlier answers by arrow", async () => {
  const kernel = await open(new FakeKernel());
  press("1");
  await settled();
  press("2");
  await settled();
  press("ArrowLeft");
  await settled();
  expect(element.querySelector("[data-cz=editing]")).not.toBeNull();
  expect(element.querySelector(".cz-choice[aria-pressed=true]")?.textContent).toContain("corgi");
  press("3");
  await settled();
  expect(kernel.stored.get("q2")).toBe("poodle");
  press("Backspace");
  await settled();
  expect(kernel.stored.has("q2")).toBe(false);
});

it("finds a class by name where there are many", async () => {
  const many = Array.from({ length: 30 }, (_, i) => ({ name: `kind ${i}`, cues: [], unexplained: null }));
  const kernel = await open(new FakeKernel(undefined, "mira", { card: many }));
  expect(element.querySelectorAll(".cz-choice kbd")).toHaveLength(9);
  press("/");
  const field = element.querySelector<HTMLInputElement>("[data-cz=filter]");
  if (!field) throw new Error("no field");
  expect(document.activeElement).toBe(field);
  press("2", field);
  expect(kernel.stored.size).toBe(0);
  field.value = "kind 27";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
  expect(element.querySelectorAll(".cz-choice")).toHaveLength(1);
  press("Enter", field);
  await settled();
  expect(kernel.stored.get("q1")).toBe("kind 27");
  expect(element.querySelectorAll(".cz-choice").length).toBe(30);
});

async function filter(text: string): Promise<HTMLInputElement> {
  const field = element.querySelector<HTMLInputElement>("[data-cz=filter]");
  if (!field) throw new Error("no field");
  field.focus();
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
  return field;
}

it("chooses by Enter in the filter only where one class is left", async () => {
  const names = ["B\u00e4r", "Bark", "corgi", "cardigan corgi", "\u0141ajka", "Stra\u00dfe", "akita", "boxer", "husky", "poodle"];
  const card = names.map((name) => ({ name, cues: [], unexplained: null }));
  const kernel = await open(new FakeKernel(undefined, "mira", { card }));
  const told = () => element.querySelector("[data-cz=refused]")?.textContent ?? "";
  for (const [text, words] of [["", "Nothing is typed"], ["  ", "Nothing is typed"], ["a", "classes are left"], ["corgi", "2 classes are left"], ["zz", "No class"]] as const) {
    const field = await filter(text);
    press("Enter", field);
    await settled();
    expect(told()).toContain(words);
    expect(document.activeElement).toBe(field);
    expect(kernel.stored.size).toBe(0);
  }
  const left = async (text: string) => (await filter(text), [...element.querySelectorAll(".cz-choice span")].map((e) => e.textContent));
  expect(await left("Ba\u0308r")).toEqual(await left("b\u00e4r"));
  expect(await left("BAR")).toEqual(["B\u00e4r", "Bark"]);
  expect(await left("lajka")).toEqual(["\u0141ajka"]);
  expect(await left("strasse")).toEqual(["Stra\u00dfe"]);
  // Down goes to those that are left, and a press there is a choice.
  press("ArrowDown", await filter("corgi"));
  expect((document.activeElement as HTMLElement).dataset.choice).toBe("corgi");
  press("Enter", await filter("cardi"));
  await settled();
  expect(kernel.stored.get("q1")).toBe("cardigan corgi");
});

it.each([
  ["X", "KeyX"], ["\u0447", "KeyX"], ["\u03c7", "KeyX"], ["\uff58", "KeyX"],
])("takes %s on the key %s for x", async (key, code) => {
  const kernel = await open(new FakeKernel());
  root().dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
  await settled();
  expect(kernel.stored.get("q1")).toBe("not usable");
});

it.each([
  ["&", "Digit1", "husky"], ["\u00e9", "Digit2", "corgi"], ["\u0663", "Digit3", "poodle"], ["\uff11", "Digit1", "husky"],
  ["\u096a", "Digit4", undefined], ["2", "Numpad2", "corgi"], ["End", "Numpad1", undefined], ["\u00b2", "Backquote", undefined],
])("takes %s on the key %s for its digit", async (key, code, wanted) => {
  const kernel = await open(new FakeKernel());
  root().dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
  await settled();
  expect(kernel.stored.get("q1")).toBe(wanted);
});

it("lets no held Enter or Space press a button again", async () => {
  await open(new FakeKernel());
  const button = element.querySelector<HTMLButtonElement>(".cz-choice");
  if (!button) throw new Error("no button");
  expect(press("Enter", button).defaultPrevented).toBe(false);
  expect(press("Enter", button, true).defaultPrevented).toBe(true);
  expect(press(" ", button, true).defaultPrevented).toBe(true);
});

it("says over the picture that an answer did not count, and keeps the focus", async () => {
  const kernel = new FakeKernel();
  HTMLImageElement.prototype.decode = () => new Promise(() => undefined);
  await open(kernel);
  const button = element.querySelector<HTMLButtonElement>(".cz-choice");
  button?.focus();
  button?.click();
  await settled();
  expect(element.querySelector("[data-cz=refused]")?.textContent).toContain("Not counted");
  expect(element.querySelector("[aria-live=polite][data-cz=said]")?.textContent).toContain("Not counted");
  expect(document.activeElement).toBe(button);
  expect(kernel.stored.size).toBe(0);
});

it("says which picture the browser cannot draw", async () => {
  HTMLImageElement.prototype.decode = () => Promise.reject(new Error("EncodingError"));
  const kernel = await open(new FakeKernel());
  expect(element.querySelector("[data-cz=broken]")?.textContent).toContain("cannot be drawn");
  press("1");
  await settled();
  expect(kernel.stored.size).toBe(0);
  press("x");
  await settled();
  expect(kernel.stored.get("q1")).toBe("not usable");
});

it("asks for a name first", async () => {
  const kernel = await open(new FakeKernel(undefined, ""));
  const field = element.querySelector<HTMLInputElement>("[data-cz=name]");
  if (!field) throw new Error("no field");
  expect(element.querySelector<HTMLButtonElement>(".cz-primary")?.disabled).toBe(true);
  field.value = "jon";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
  element.querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await settled();
  expect(kernel.actions("enter")[0]).toMatchObject({ rater: "jon" });
  expect(element.querySelector("[data-cz=picture]")).not.toBeNull();
});

it("thanks at the end, and the last answers stay open", async () => {
  const kernel = await open(new FakeKernel(["q1"]));
  press("1");
  await settled();
  expect(element.querySelector("[data-cz=done]")?.textContent).toContain("Done. Thank you, mira.");
  press("ArrowLeft");
  await settled();
  press("2");
  await settled();
  expect(kernel.stored.get("q1")).toBe("corgi");
});

it("says that the line is lost and what becomes of the answers", async () => {
  const kernel = await open(new FakeKernel());
  kernel.silent = true;
  press("1");
  kernel.fire("comm:close");
  await settled();
  expect(element.querySelector("[data-cz=lost]")?.textContent).toContain("kept on this page");
  expect(element.querySelector("[data-cz=saved]")?.textContent).toContain("1 answer kept");
  expect(element.querySelector("[data-saved=false]")).not.toBeNull();
});

it("shows what is wrong instead of a screen", async () => {
  const problem = { code: "labelling", message: "There is no task pack.", hint: "Make one." };
  await open(new FakeKernel([], "", { problem }));
  expect(element.querySelector("[role=alert]")?.textContent).toContain("There is no task pack.");
  press("1");
});

it("shows hostile text as text", async () => {
  const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
  await open(
    new FakeKernel(undefined, "mira", {
      name: evil,
      guidelines: evil,
      subject: evil,
      card: [evil, "b"].map((name) => ({
        name, unexplained: null,
        cues: [{ words: evil, for: true, grade: "some" as const, long: 1, units: [evil], exemplars: [] }],
      })),
    }),
  );
  expect(element.querySelector("script, img[src=x]")).toBeNull();
  expect(element.querySelector(".cz-choice")?.textContent).toContain(evil);
  expect(element.querySelector(".cz-guidelines")?.textContent).toContain(evil);
});

it.each([
  [1, 1], [2, 2], [3, 3], [5, 5], [6, 3], [7, 4], [9, 5], [11, 4], [0, 1],
])("lays %i choices out in %i columns", (choices, wanted) => {
  expect(columns(Array.from({ length: choices }, (_, i) => `class ${i}`))).toBe(wanted);
});

it("gives long names more room", () => {
  expect(columns(["a long name of a class", "b", "c", "d", "e"])).toBe(3);
});

it("asks whether a picture shows a concept, without card or signs, by y and n", async () => {
  const kernel = await open(new FakeKernel(["snow:1", "snow:2", "curled tail:1"], "mira", { card: [], name: "What do these pictures show?" }));
  expect(element.querySelector("[data-cz=asks]")?.textContent).toBe("Does this picture show snow?");
  expect([...element.querySelectorAll(".cz-choice")].map((b) => b.textContent)).toEqual(["nno", "yyes"]);
  expect(element.querySelector("[data-cz=card]")).toBeNull();
  expect(element.querySelector("[data-cz=seen]")).toBeNull();
  expect(press("y").defaultPrevented).toBe(true);
  await settled();
  press("n");
  await settled();
  expect(kernel.stored.get("snow:1")).toBe("yes");
  expect(kernel.stored.get("snow:2")).toBe("no");
  expect(element.querySelector("[data-cz=asks]")?.textContent).toBe("Does this picture show curled tail?");
});

it("leaves y and n alone where classes are asked", async () => {
  const kernel = await open(new FakeKernel());
  expect(press("y").defaultPrevented).toBe(false);
  await settled();
  expect(kernel.stored.size).toBe(0);
  expect(element.querySelector("[data-cz=asks]")).toBeNull();
});
