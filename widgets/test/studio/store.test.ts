import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { worstOf } from "../../src/studio/derive";
import { Store } from "../../src/studio/store";
import { FakeModel, detail, finding, settled, traits } from "../fake";

let model: FakeModel;
let store: Store;

beforeEach(() => {
  model = new FakeModel();
  store = new Store(model);
});

afterEach(() => store.close());

const shown = () => store.shown().map((row) => store.id(row));

describe("what is shown first", () => {
  it("needs no question asked", () => {
    expect(store.id(store.view.unit)).toBe("conv4:1");
    expect(store.detail()?.matches[0]?.concept).toBe("snow");
    expect(model.sent).toEqual([]);
  });

  it("is the worst finding's unit when no first unit was sent", () => {
    const other = new Store(new FakeModel({ ...traits(), first: null }));
    expect(other.id(other.view.unit)).toBe("conv4:1");
    other.close();
  });

  it("is nothing for a model without units", () => {
    const state = traits(0);
    const empty = new Store(new FakeModel({ ...state, first: null, words: [], report: { ...state.report, findings: [] } }));
    expect(empty.view.unit).toBe(-1);
    expect(empty.shown()).toEqual([]);
    empty.move(1);
    empty.close();
  });
});

describe("filters", () => {
  it("search words, concepts and ids, all parts of them", () => {
    store.filter({ text: "snow" });
    expect(shown()).toEqual(["conv4:1", "conv4:2"]);
    store.filter({ text: "ground SNOW" });
    expect(shown()).toEqual(["conv4:1"]);
    store.filter({ text: "conv4:5" });
    expect(shown()).toEqual(["conv4:5"]);
  });

  it("by words, by who wrote them, by finding", () => {
    store.filter({ words: "unannotated" });
    expect(shown()).toEqual(["conv4:0", "conv4:4", "conv4:5"]);
    store.filter({ words: "proposed" });
    expect(shown()).toEqual(["conv4:2", "conv4:3"]);
    store.filter({ words: "any", finding: "flagged" });
    expect(shown()).toEqual(["conv4:1", "conv4:2"]);
    store.filter({ finding: "some" });
    expect(shown()).toEqual(["conv4:1", "conv4:2", "conv4:3"]);
  });

  it("by class driven, strongest first, only where the interval excludes no effect", () => {
    store.filter({ target: "husky" });
    expect(shown()).toEqual(["conv4:1", "conv4:2"]);
    store.filter({ target: "corgi" });
    expect(shown()).toEqual(["conv4:0", "conv4:3", "conv4:4", "conv4:5"]);
  });

  it("keep a unit selected that is in sight", () => {
    store.filter({ text: "fluffy" });
    expect(store.id(store.view.unit)).toBe("conv4:3");
  });
});

describe("moving", () => {
  it("stops at both ends", () => {
    store.move(-10);
    expect(store.id(store.view.unit)).toBe("conv4:0");
    store.move(100);
    expect(store.id(store.view.unit)).toBe("conv4:5");
  });

  it("goes round the findings that stand, opening a unit of each", () => {
    store.select(5);
    store.next(1);
    expect(store.view).toMatchObject({ tab: "findings", finding: "f1" });
    expect(store.id(store.view.unit)).toBe("conv4:1");
    store.next(1);
    expect(store.view.finding).toBe("f1");
  });

  it("goes on to the unsettled ones when nothing is flagged or all is waived", () => {
    const waiver = { author: "mira", reason: "known", time: "", withdrawn: false };
    const { report } = model.state;
    model.change({ report: { ...report, findings: [finding({ waiver }), ...report.findings.slice(1)] } });
    expect(store.queue().map(({ id }) => id)).toEqual(["f2"]);
  });
});

describe("edits", () => {
  it("say what they were made on top of", async () => {
    await store.annotate("conv4:1", "white ground", 0.5);
    expect(model.actions("annotate")[0]).toMatchObject({ unit: "conv4:1", text: "white ground", confidence: 0.5, base: "w1" });
    await store.annotate("conv4:0", "eyes", 1);
    expect(model.actions("annotate")[1]).toMatchObject({ base: "" });
  });

  it("that fail are named and lose nothing", async () => {
    model.answers.annotate = { ok: false, code: "bundle-write", message: "Read-only disk.", hint: "Save elsewhere." };
    store.draft("conv4:1", { text: "mine", confidence: 1 });
    expect(await store.annotate("conv4:1", "mine", 1)).toBe(false);
    expect(store.view.notice).toMatchObject({ code: "bundle-write", tone: "error" });
    expect(store.drafts.get("conv4:1")?.text).toBe("mine");
    expect(store.view.busy).toBe(false);
  });

  it("that collide show both texts; writing mine builds on theirs", async () => {
    const theirs = { id: "w9", text: "white ground", author: "jon", time: "" };
    model.answers.annotate = { ok: false, code: "conflict", message: "Changed.", theirs };
    await store.annotate("conv4:1", "mine", 1);
    expect(store.view.conflict).toMatchObject({ mine: { text: "mine" }, theirs: { text: "white ground" } });
    expect(store.view.notice).toBeNull();
    model.answers.annotate = {};
    store.settle(true);
    await settled();
    expect(model.actions("annotate")[1]).toMatchObject({ text: "mine", base: "w9" });
  });

  it("keeping theirs only reads again", async () => {
    const theirs = { id: "w9", text: "white ground", author: "jon", time: "" };
    model.answers.annotate = { ok: false, code: "conflict", message: "Changed.", theirs };
    await store.annotate("conv4:1", "mine", 1);
    store.settle(false);
    await settled();
    expect(model.actions("annotate")).toHaveLength(1);
    expect(model.actions("refresh")).toHaveLength(1);
  });

  it("that are undone lead to their unit", async () => {
    await store.undo();
    expect(store.id(store.view.unit)).toBe("conv4:3");
    expect(store.view.said).toBe("undone");
  });

  it("bring the unit's history up to date", async () => {
    const entry = { id: "n", text: "new", author: "", kind: "person", confidence: 1, time: "", what: "wrote", current: true };
    model.answers.history = { history: [entry] };
    model.change({ head: { ...model.state.head, revision: 2 } });
    await settled();
    expect(store.detail()?.history[0]?.text).toBe("new");
    expect(store.detail()?.matches).toHaveLength(1);
  });
});

describe("details", () => {
  it("are asked for once", async () => {
    store.select(4);
    store.select(5);
    store.select(4);
    await settled();
    expect(model.actions("unit").map(({ unit }) => unit)).toEqual(["conv4:4", "conv4:5"]);
    store.select(5);
    await settled();
    expect(model.actions("unit")).toHaveLength(2);
  });
});

describe("what was fetched", () => {
  const entry = { id: "n", text: "new", author: "", kind: "person", confidence: 1, time: "", what: "wrote", current: true };

  it("is asked anew for other units after an edit, the first one included", async () => {
    store.select(4);
    await settled();
    model.change({ head: { ...model.state.head, revision: 2 } });
    await settled();
    model.answers.unit = (message) => ({ detail: { ...detail(String(message.unit)), history: [entry] } });
    store.select(1);
    await settled();
    expect(store.detail()?.history).toHaveLength(1);
  });

  it("is dropped when z was measured anew", async () => {
    store.select(4);
    await settled();
    const first = { ...detail("conv4:1"), mean: 7 };
    model.change({ first });
    model.change({ units: { ...model.state.units } });
    await settled();
    expect(model.actions("unit").map(({ unit }) => unit)).toEqual(["conv4:4", "conv4:4"]);
    store.select(1);
    expect(store.detail()?.mean).toBe(7);
  });
});

describe("worstOf", () => {
  it("leaves out what somebody let stand", () => {
    const waiver = { author: "mira", reason: "known", time: "", withdrawn: false };
    expect(worstOf([finding({ waiver }), finding({ verdict: "supported" })])).toEqual({ verdict: "supported", count: 1 });
    expect(worstOf([finding({ waiver })])).toBeNull();
  });

  it("does not blame a unit for what is said of a class", () => {
    expect(worstOf([finding({ kind: "missing-support" }), finding({ kind: "unexplained-effect" })])).toBeNull();
  });
});
