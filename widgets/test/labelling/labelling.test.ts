import { afterEach, beforeEach, expect, it } from "vitest";
import labelling from "../../src/labelling/labelling";
import { columns } from "../../src/labelling/frame";
import { FakeKernel, settled } from "./fake_labelling";

let element: HTMLElement;
let unmount: () => void = () => undefined;

beforeEach(() => {
  localStorage.clear();
  URL.createObjectURL = () => "blob:picture";
  URL.revokeObjectURL = () => undefined;
  HTMLCanvasElement.prototype.getContext = () => null;
  element = document.createElement("div");
  document.body.append(element);
});

afterEach(() => {
  unmount();
  element.remove();
});

async function open(kernel: FakeKernel): Promise<FakeKernel> {
  unmount = labelling.render({ model: kernel, el: element });
  await settled();
  return kernel;
}

function root(): HTMLElement {
  const found = element.querySelector<HTMLElement>(".cz-labelling");
  if (!found) throw new Error("no screen");
  return found;
}

function press(key: string, on: Element = root(), repeat = false): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, repeat });
  on.dispatchEvent(event);
  return event;
}

it("prints the key on every choice and answers by it", async () => {
  const kernel = await open(new FakeKernel());
  const shown = [...element.querySelectorAll(".cz-choice")].map((b) => b.textContent);
  expect(shown).toEqual(["1husky", "2corgi", "3poodle"]);
  expect(press("2").defaultPrevented).toBe(true);
  await settled();
  expect(kernel.stored.get("q1")).toBe("corgi");
  press("0");
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
