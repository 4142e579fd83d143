import { expect, it } from "vitest";
import { layOut, roomFor } from "../../src/labelling/grid";
import { FakeKernel, settled } from "./fake_labelling";
import { draw, element, open as openPage, pass, press, root, withNewPage } from "./labelling_page";

withNewPage(0);

function ids(word: string, n: number): string[] {
  return Array.from({ length: n }, (_, i) => `${word}:${i}`);
}

async function open(questions: string[], rater = "mira"): Promise<FakeKernel> {
  const kernel = await openPage(new FakeKernel(questions, rater, { card: [], grid: true, task: "concepts-1" }));
  pass(2000);
  return kernel;
}

const tiles = () => [...element.querySelectorAll<HTMLElement>(".cz-tile")];
const marks = () => tiles().map((tile) => tile.dataset.mark);
const text = (name: string) => element.querySelector(`[data-cz=${name}]`)?.textContent ?? "";

async function look(key: string): Promise<void> {
  await settled();
  pass(2000);
  press(key);
  await settled();
}

it("answers every picture of a page by keys alone, one word a page", async () => {
  const kernel = await open([...ids("snow", 12), ...ids("ears", 3)]);
  expect(tiles()).toHaveLength(12);
  expect(text("asks")).toBe("Click the pictures that show snow");
  expect(text("submit")).toContain("None shows it");
  press(" ");
  press("ArrowRight");
  press("-");
  press("ArrowDown");
  press("x");
  await settled();
  expect(marks().filter((m) => m !== "no")).toEqual(["yes", "cannot", "discard"]);
  expect(marks()[5]).toBe("discard");
  expect(tiles()[1]?.getAttribute("aria-checked")).toBe("mixed");
  expect(text("tally")).toBe("1 shows it · 9 do not · 1 cannot tell · 1 not usable");
  await look("Enter");
  const [page] = kernel.actions("answer_page");
  expect((page?.answers as string[][]).map(([, choice]) => choice)).toEqual(
    ["yes", "cannot tell", "no", "no", "no", "not usable", "no", "no", "no", "no", "no", "no"],
  );
  expect(kernel.stored.size).toBe(12);
  expect(text("asks")).toBe("Click the pictures that show ears");
  expect(tiles()).toHaveLength(3);
  await look("Enter");
  expect(kernel.stored.get("ears:2")).toBe("no");
  expect(text("done")).toContain("Done. Thank you, mira.");
});

it("takes the last page back as it was marked, and sends it again under a new key", async () => {
  const kernel = await open([...ids("snow", 12), ...ids("ears", 12)]);
  press(" ");
  await look("Enter");
  expect(text("asks")).toContain("ears");
  press("-");
  await look("u");
  expect(kernel.stored.size).toBe(0);
  expect(text("asks")).toContain("snow");
  expect(marks()[0]).toBe("yes");
  press("ArrowRight");
  press(" ");
  await look("Enter");
  expect([...kernel.stored.values()].filter((choice) => choice === "yes")).toHaveLength(2);
  expect(new Set(kernel.keys).size).toBe(24);
  // What was begun on the page that came in between is still marked.
  await settled();
  expect(text("asks")).toContain("ears");
  expect(marks()[0]).toBe("cannot");
  await look("u");
  await look("u");
  expect(text("refused")).toBe("There is no page to take back.");
});

it("goes round by clicks: shows it, cannot tell, nothing", async () => {
  await open(ids("snow", 12));
  for (const mark of ["yes", "cannot", "no"]) {
    tiles()[4]?.click();
    await settled();
    expect(marks()[4]).toBe(mark);
  }
  expect(tiles()[4]?.tabIndex).toBe(0);
});

it("counts no page that nobody can have looked at", async () => {
  let drawn: () => void = () => undefined;
  draw(() => new Promise((resolve) => { drawn = resolve; }));
  const kernel = await open(ids("snow", 24));
  await look("Enter");
  expect(text("refused")).toBe("Not counted: the page is not drawn yet.");
  drawn();
  draw(() => Promise.resolve());
  const again = await open(ids("snow", 24));
  await look("Enter");
  expect(again.stored.size).toBe(12);
  // The second Enter of a double press is meant for the page before.
  press("Enter");
  await settled();
  expect(text("refused")).toContain("this page had only just come");
  expect(again.stored.size).toBe(12);
  press("Enter", root(), true);
  await settled();
  expect(again.stored.size).toBe(12);
  expect(kernel.stored.size).toBe(0);
});

it("keeps pages while nobody answers, and sends each once", async () => {
  const kernel = await open(ids("snow", 36));
  kernel.silent = true;
  press(" ");
  await look("Enter");
  const keptPages = Object.keys(localStorage).filter((key) => key.startsWith("circuitz-labelling/"));
  expect(keptPages).toHaveLength(1);
  expect(kernel.stored.size).toBe(0);
  kernel.silent = false;
  await openPage(kernel);
  await settled();
  expect(kernel.stored.size).toBe(12);
  expect(kernel.stored.get("snow:0")).toBe("yes");
  expect(Object.keys(localStorage).filter((key) => key.startsWith("circuitz-labelling/"))).toHaveLength(0);
  expect(new Set(kernel.keys).size).toBe(kernel.keys.length);
});

it("says that a picture cannot be drawn, and answers that it is not usable", async () => {
  draw(() => Promise.reject(new Error("broken")));
  const kernel = await open(ids("snow", 12));
  expect(marks()).toEqual(Array.from({ length: 12 }, () => "discard"));
  expect(tiles()[0]?.textContent).toContain("cannot be drawn");
  await look("Enter");
  expect([...new Set(kernel.stored.values())]).toEqual(["not usable"]);
});

it("changes to one picture at a time, and remembers it", async () => {
  const kernel = await open(ids("snow", 14));
  press("g");
  await settled();
  expect(tiles()).toHaveLength(0);
  expect(text("asks")).toBe("Does this picture show snow?");
  await look("y");
  expect(kernel.stored.get("snow:0")).toBe("yes");
  await open(ids("snow", 14));
  expect(text("asks")).toBe("Does this picture show snow?");
  element.querySelector<HTMLElement>("[data-cz=word-screen] button")?.click();
  await settled();
  expect(tiles().length).toBeGreaterThan(0);
});

it("sends what was answered one at a time as it was, when the grid is there again", async () => {
  const kernel = await open(ids("snow", 14));
  press("g");
  kernel.silent = true;
  await look("y");
  press("g");
  await settled();
  kernel.silent = false;
  await openPage(kernel);
  await settled();
  expect(tiles().length).toBeGreaterThan(0);
  expect(kernel.stored.get("snow:0")).toBe("yes");
  // Python takes a number of questions with a page alone.
  expect(kernel.actions("answer").every((sent) => !("n" in sent))).toBe(true);
});

it("shows the keys of the screen that is there, and answers nothing behind them", async () => {
  const kernel = await open(ids("snow", 12));
  press("?");
  await settled();
  expect(element.querySelector(".cz-help")?.textContent).toContain("take the last page back");
  await look("Enter");
  expect(kernel.stored.size).toBe(0);
  press("Escape");
  await settled();
  expect(element.querySelector(".cz-help")).toBeNull();
});

it("fits twelve to forty pictures", () => {
  for (const [width, height] of [[304, 300], [620, 500], [1240, 560], [1880, 860], [3000, 2000]] as const) {
    const size = roomFor(width, height);
    expect(size).toBeGreaterThanOrEqual(12);
    expect(size).toBeLessThanOrEqual(40);
    for (const count of [1, 5, 12, size]) {
      const { columns, tile } = layOut(count, width, height);
      expect(columns * tile + (columns - 1) * 8).toBeLessThanOrEqual(width);
      expect(tile).toBeGreaterThanOrEqual(120);
      const rows = Math.ceil(count / columns);
      if (width > 1000) expect(rows * tile + (rows - 1) * 8).toBeLessThanOrEqual(height);
    }
  }
});
