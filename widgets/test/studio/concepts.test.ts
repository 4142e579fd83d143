import { describe, expect, it } from "vitest";
import type { ConceptTable } from "../../src/studio/studio_payload";
import { settled, traits } from "../fake";
import { $, all, el, model, onCleanPage, open as openStudio } from "./studio_page";

function open(concepts: Partial<ConceptTable> = {}): void {
  const state = traits();
  openStudio({ ...state, concepts: { ...state.concepts, ...concepts } });
}

// Each test opens its own.
onCleanPage(() => undefined);

async function click(selector: string): Promise<void> {
  $(selector).click();
  await settled();
}

async function show(): Promise<void> {
  $(".cz-studio").dispatchEvent(new KeyboardEvent("keydown", { key: "5", bubbles: true, cancelable: true }));
  await settled();
}

/** Cells as they read, blanks joined. */
const cells = (row: number) =>
  all(`tr[data-row="${row}"] > *`).map((cell) => (cell.textContent ?? "").replace(/\s+/g, " ").trim());

/** As Python answers: the table first, then that it was done. */
function followed(): void {
  model.answers.kind = ({ kind }) => {
    model.change({
      concepts: {
        ...model.state.concepts,
        kind: { texts: ["surroundings", String(kind), "part"], places: [0, 1, 2] },
        kind_from: { texts: ["shipped", "person"], places: [0, 1, 1] },
      },
    });
    return { said: "said" };
  };
}

describe("the list of concepts", () => {
  it("opens by key, takes the focus, and asks Python nothing", async () => {
    open();
    await show();
    expect(document.activeElement).toBe($(".cz-concepts"));
    expect($('[role="tab"][aria-selected="true"]').textContent).toBe("Concepts 3");
    expect(model.sent.filter(({ action }) => action !== "parse")).toEqual([]);
  });

  it("has a row a concept: kind, who says so, and counts by split", async () => {
    open();
    await show();
    expect(all("thead th").map((cell) => cell.textContent)).toEqual([
      "concept", "kind", "said by", "select shown / not", "test shown / not", "audit shown / not",
    ]);
    expect(cells(0)).toEqual(["snow", "surroundings", "shipped", "41 / 59", "20 / 30", "10 / 15"]);
    expect(cells(1).slice(1, 4)).toEqual(["unknown say what this is", "nobody", "0 / 7"]);
    expect(cells(2)[0]).toContain("a kind of hair");
    expect(cells(2)[3]).toBe("3 / 1,200");
  });

  it("says what is the same, and counts a set without splits whole", async () => {
    open({ same_as: { texts: ["", "snow"], places: [0, 1, 0] }, counts: [{ split: "", shown: [5, 6, 7], not_shown: [1, 2, 3] }] });
    await show();
    expect(cells(1)[0]).toContain("the same as snow");
    expect(cells(1).at(-1)).toBe("6 / 2");
  });

  it("says why there are none", async () => {
    open({ names: [], counts: [], missing: "No concept set: measure." });
    await show();
    expect($('[role="tabpanel"]').textContent).toBe("No concept set: measure.");
  });

  it("shows names as text", async () => {
    open({ names: ["<img src=x onerror=alert(1)>", "zorgle", "b"], is_a: { texts: ["", "<b id=bad>"], places: [0, 1, 0] } });
    await show();
    expect(el.querySelector(".cz-concepts img, #bad")).toBeNull();
    expect(cells(0)[0]).toContain("<img src=x");
  });
});

describe("saying what a concept is", () => {
  it("is asked where nobody knows, and the row follows", async () => {
    open();
    followed();
    await show();
    expect(all("tr[data-row] button")).toHaveLength(2); // the unknown one, and what a person said
    await click('tr[data-row="1"] button');
    expect($('tr[data-row="1"] button').getAttribute("aria-expanded")).toBe("true");
    await click('[data-kind="artefact"].cz-button');
    expect(model.actions("kind")).toMatchObject([{ concept: "zorgle", kind: "artefact" }]);
    expect(cells(1).slice(1, 3)).toEqual(["artefact change", "person"]);
    expect(el.querySelector(".cz-kind-said")).toBeNull();
    expect(document.activeElement).toBe($('tr[data-row="1"] button'));
  });

  it("leaves the focus on the list where the row goes out of it", async () => {
    open();
    followed();
    await show();
    await click(".cz-kinds button:last-child");
    expect(all("tr[data-row]").map((row) => row.dataset.row)).toEqual(["1"]);
    await click('tr[data-row="1"] button');
    await click('[data-kind="part"].cz-button');
    expect($(".cz-concepts").textContent).toBe("Every kind is known.");
    expect(document.activeElement).toBe($(".cz-concepts"));
  });
});

describe("a thousand concepts", () => {
  it("are drawn some at a time, and found by name", async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `thing ${i}`);
    const coded = (text: string) => ({ texts: [text], places: names.map(() => 0) });
    const some = names.map((_, i) => i);
    open({ names, kind: coded("part"), kind_from: coded("shipped"), counts: [{ split: "", shown: some, not_shown: some }] });
    await show();
    expect(all("tr[data-row]")).toHaveLength(200);
    await click(".cz-more button");
    expect(all("tr[data-row]")).toHaveLength(400);
    const search = $(".cz-search input") as HTMLInputElement;
    search.value = "THING 99";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await settled();
    expect(all("tr[data-row]")).toHaveLength(11);
    search.value = "none";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await settled();
    expect($(".cz-concepts").textContent).toBe("No concept is called that.");
  });
});
