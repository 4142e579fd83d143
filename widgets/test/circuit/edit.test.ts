import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Circuit, GraphNode } from "../../src/studio/studio_payload";
import studio from "../../src/studio/studio";
import { FakeModel, settled, traits } from "../fake";

let model: FakeModel;
let el: HTMLElement;
let leave: () => void;

function node(id: string, column: number, place: number, words = "", members = [id]): GraphNode {
  const kind = id.startsWith("output") ? "class" : "unit";
  return { id, kind, members: kind === "unit" ? members : [], words, influence: 0.5, column, place };
}

function circuit(change: Partial<Circuit> = {}): Circuit {
  return {
    target: "husky",
    columns: ["conv4", "husky"],
    nodes: [node("conv4:0", 0, -1), node("conv4:1", 0, 0, "snow"), node("group:conv4:2,conv4:3", 0, 1, "ears", ["conv4:2", "conv4:3"]), node("output:husky", 1, 0)],
    edges: [[0, 3, 0.5, 0.4, 0.6]],
    scores: { replacement: 0.5, completeness: 0.5, recovered: 0.5, recovered_low: 0.4, recovered_high: 0.6 },
    kept: {},
    counts: { units: 4 },
    stability: {},
    automatic: true,
    undo: false,
    units: 4,
    stale: [],
    ...change,
  };
}

beforeEach(async () => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  Element.prototype.scrollIntoView = () => undefined;
  model = new FakeModel({ ...traits(), graphs: { circuits: { husky: circuit() }, path: "", problem: "" } });
  model.answers.regroup = { said: "done" };
  el = document.createElement("div");
  document.body.append(el);
  leave = studio.render({ model, el });
  $(".cz-tiles").focus();
  await press("4");
});

afterEach(() => {
  leave();
  el.remove();
  vi.restoreAllMocks();
});

function $<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = el.querySelector<T>(selector);
  if (!found) throw new Error(`nothing fits ${selector}`);
  return found;
}
async function press(key: string): Promise<void> {
  (document.activeElement ?? $(".cz-studio")).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await settled();
}
const at = (id: string) => $(`[data-node="${id}"]`);
const go = async (id: string) => {
  at(id).focus();
  await settled();
};
const edits = () => model.actions("regroup").map(({ edit, nodes, label }) => [edit, nodes, label]);

async function name(text: string): Promise<void> {
  const input = $<HTMLInputElement>("[data-cz=graph-name] input");
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
  $("form[data-cz=graph-name]").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await settled();
}

describe("nodes shown as one", () => {
  it("are marked by key or mouse, and merged under a name", async () => {
    await go("conv4:0");
    await press("m");
    expect(at("conv4:0").getAttribute("aria-label")).toContain("marked");
    at("conv4:1").dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
    await settled();
    expect($("[data-cz=graph-edit]").textContent).toContain("2 nodes marked");
    await press("g");
    expect($<HTMLInputElement>("[data-cz=graph-name] input").value).toBe("snow");
    await name("cold ground");
    expect(edits()).toEqual([["merge", ["conv4:0", "conv4:1"], "cold ground"]]);
    expect(el.querySelector(".cz-marked")).toBeNull();
    const one = node("group:conv4:0,conv4:1", 0, 0, "cold ground", ["conv4:0", "conv4:1"]);
    model.change({ graphs: { circuits: { husky: circuit({ nodes: [one, node("output:husky", 1, 0)], edges: [], automatic: false, undo: true }) }, path: "", problem: "" } });
    await settled();
    // One goes on from where one was.
    expect($('.cz-node[tabindex="0"]').dataset.node).toBe(one.id);
    expect($("[data-cz=graph-edit]").textContent).toContain("by concept");
  });

  it("are not merged alone, and marks are cleared by Escape", async () => {
    await go("conv4:0");
    await press("m");
    await press("g");
    expect(el.querySelector("[data-cz=graph-name]")).toBeNull();
    await press("Escape");
    expect(el.querySelector(".cz-marked")).toBeNull();
    await go("output:husky");
    await press("m");
    expect(el.querySelector(".cz-marked")).toBeNull();
  });

  it("are renamed and split; a name is left by Escape", async () => {
    await go("group:conv4:2,conv4:3");
    await press("n");
    $("[data-cz=graph-name] input").focus();
    await press("Escape");
    expect(el.querySelector("[data-cz=graph-name]")).toBeNull();
    await go("group:conv4:2,conv4:3");
    await press("n");
    await name("pointed ears");
    await go("group:conv4:2,conv4:3");
    await press("s");
    expect(edits()).toEqual([
      ["rename", ["group:conv4:2,conv4:3"], "pointed ears"],
      ["split", ["group:conv4:2,conv4:3"], ""],
    ]);
    // A single unit has words of its own.
    await go("conv4:0");
    await press("s");
    await press("n");
    expect(edits()).toHaveLength(2);
  });

  it("u takes back the last edit of a circuit, and else of words", async () => {
    await go("conv4:0");
    await press("u");
    expect([edits().length, model.actions("undo").length]).toEqual([0, 1]);
    model.change({ graphs: { circuits: { husky: circuit({ automatic: false, undo: true }) }, path: "", problem: "" } });
    await settled();
    await go("conv4:0");
    await press("u");
    expect(edits()).toEqual([["undo", [], ""]]);
    expect(model.actions("undo")).toHaveLength(1);
    const back = [...el.querySelectorAll<HTMLButtonElement>("[data-cz=graph-edit] button")].find((b) => b.textContent === "by concept");
    back?.click();
    await settled();
    expect(edits().at(-1)).toEqual(["automatic", [], ""]);
  });

  it("tells why an edit was refused, and keeps the marks", async () => {
    model.answers.regroup = { ok: false, code: "graph", message: "Nodes of 2 layers cannot be one.", hint: "" };
    await go("conv4:0");
    await press("m");
    await go("conv4:1");
    await press("m");
    await press("g");
    await name("x");
    expect($(".cz-notice").textContent).toContain("cannot be one");
    expect($("[data-cz=graph-name]").textContent).toContain("2 nodes");
  });
});
