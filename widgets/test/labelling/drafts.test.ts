import { expect, it } from "vitest";
import { Drafts } from "../../src/labelling/drafts";
import { compare, words } from "./fake_judging";
import { settled } from "./fake_labelling";
import { element, open, part, press, withNewPage, write } from "./labelling_page";

withNewPage();

const SNOW = { side: "a" as const, class: "husky", words: "snow", part: "arrow" as const };
const kept = () => Object.keys(localStorage).filter((key) => key.startsWith("circuitz-draft/"));
const note = () => part<HTMLTextAreaElement>("[data-cz=note]");
const written = () => part<HTMLInputElement>("[data-cz=written]");

it("gives reasons and a note back on a page opened again, with the focus at the end of the note", async () => {
  const kernel = await open(compare());
  part("[data-side=a] .cz-arrow").click();
  note().focus();
  write("the ground", note());
  await settled();
  await open(kernel);
  expect(note().value).toBe("the ground");
  expect(document.activeElement).toBe(note());
  expect(note().selectionStart).toBe(10);
  expect(part("[data-side=a] .cz-arrow").getAttribute("aria-pressed")).toBe("true");
  expect(part("[data-cz=reasons]").textContent).toContain("husky: how much snow");
  press("Escape", note());
  press("1");
  await settled();
  expect(kernel.details.get("q1")).toEqual({ reasons: [SNOW], note: "the ground" });
  expect(kept()).toEqual([]);
  await open(kernel);
  expect(note().value).toBe("");
});

it("gives the focus back to the arrow that was pointed at, and never takes it from elsewhere", async () => {
  const kernel = await open(compare());
  part("[data-side=b] .cz-arrow").focus();
  part("[data-side=b] .cz-arrow").click();
  await settled();
  await open(kernel);
  expect(document.activeElement).toBe(part("[data-side=b] .cz-arrow"));
  const outside = document.createElement("input");
  document.body.append(outside);
  outside.focus();
  await open(kernel);
  expect(document.activeElement).toBe(outside);
  outside.remove();
});

it("shows a reason that was pointed at in a class that is folded away", async () => {
  const kernel = await open(compare());
  part("[data-cz=alike]").click();
  await settled();
  part("[aria-label='B: corgi'] .cz-pair-words").click();
  await settled();
  await open(kernel);
  expect(part("[aria-label='B: corgi'] .cz-pair-words").getAttribute("aria-pressed")).toBe("true");
  part("[data-cz=reasons] button").click();
  await settled();
  expect(kept()).toEqual([]);
  expect(element.querySelector("[aria-label='B: corgi']")).toBeNull();
});

it("gives words and text back, one draft a question, and drops what was sent", async () => {
  const kernel = await open(words());
  press("2");
  written().focus();
  write("blue eyes", written());
  await settled();
  await open(kernel);
  expect(part("[data-word='curled tail']").getAttribute("aria-pressed")).toBe("true");
  expect(written().value).toBe("blue eyes");
  press("Enter", written());
  await settled();
  expect(kernel.details.get("q1")).toEqual({ words: ["curled tail"], text: "blue eyes" });
  expect(kept()).toEqual([]);
  expect(written().value).toBe("");
});

it("keeps a draft while an earlier answer is looked at, and says that a change was not sent", async () => {
  await open(words());
  press("1");
  press("Enter");
  await settled();
  write("blue eyes", written());
  press("ArrowLeft");
  await settled();
  expect(written().value).toBe("");
  expect(part("[data-cz=editing]").textContent).not.toContain("not sent");
  press("2");
  await settled();
  expect(part("[data-cz=editing]").textContent).toContain("not sent yet");
  press("Escape");
  await settled();
  expect(written().value).toBe("blue eyes");
});

it("keeps what is asked again when an answer was taken back", async () => {
  const kernel = await open(words());
  press("1");
  press("Enter");
  await settled();
  press("Backspace");
  await settled();
  await open(kernel);
  expect(part("[data-word=snow]").getAttribute("aria-pressed")).toBe("true");
});

it("has the words again where cannot tell was pressed by mistake", async () => {
  const kernel = await open(words());
  press("2");
  write("blue eyes", written());
  press("0");
  await settled();
  expect(kernel.stored.get("q1")).toBe("cannot tell");
  expect(kernel.details.get("q1")).toBeUndefined();
  press("Backspace");
  await settled();
  expect(written().value).toBe("blue eyes");
  expect(part("[data-word='curled tail']").getAttribute("aria-pressed")).toBe("true");
});

it("brings back what was written when an answer is refused for good", async () => {
  const kernel = await open(words());
  kernel.refuse = { code: "labelling", message: "No.", hint: "" };
  write("blue eyes", written());
  press("Enter", written());
  await settled();
  expect(kernel.stored.size).toBe(0);
  kernel.refuse = null;
  await open(kernel);
  expect(written().value).toBe("blue eyes");
});

it("keeps what raters say apart, and drafts of other tasks", () => {
  new Drafts("task", "mira").keep("q1", { details: { text: "snow" }, at: "text" });
  expect(new Drafts("task", "mira").of("q1")).toEqual({ details: { text: "snow" }, at: "text" });
  expect(new Drafts("task", "noa").of("q1")).toBeNull();
  expect(new Drafts("other", "mira").of("q1")).toBeNull();
});

it("takes nothing in that it does not understand", () => {
  const odd = (value: string) => {
    localStorage.setItem("circuitz-draft/task/mira/q1", value);
    return new Drafts("task", "mira").of("q1");
  };
  expect(odd("{")).toBeNull();
  expect(odd("null")).toBeNull();
  expect(odd(JSON.stringify({ details: { reasons: [{ side: "c" }], words: [1], note: "a", text: 3 }, at: 1 }))).toEqual({ details: { note: "a" }, at: "" });
});

it("goes on where a browser keeps nothing", () => {
  const refusing = () => { throw new Error("denied"); };
  const drafts = new Drafts("task", "mira", { getItem: refusing, setItem: refusing, removeItem: refusing });
  drafts.keep("q1", { details: { note: "a" }, at: "" });
  expect(drafts.of("q1")?.details.note).toBe("a");
  drafts.drop("q1");
  expect(drafts.of("q1")).toBeNull();
  expect(drafts.of("q2")).toBeNull();
});
