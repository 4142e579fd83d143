/** A model of very many units: what is not here is asked for as it comes into sight. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Sheets } from "../../src/pictures/sprite_sheets";
import { Fetcher } from "../../src/link/fetcher";
import { ActionError, LOST } from "../../src/link/link";
import { Names } from "../../src/link/unit_names";
import { PER_UNIT } from "../../src/studio/unit_table";
import { Store } from "../../src/studio/store";
import { FakeModel, floats, integers, settled } from "../fake";
import type { Message } from "../fake";

const COUNT = 100_000;
const KNOWN = 40;

/** Columns of rows as Python would send them: unit `r` drives husky by `r` millionths. */
function columns(rows: number[]): Record<string, DataView> {
  const effects = floats(rows.flatMap((row) => [row / 1e6, row % 2 ? 0.001 : -0.001, 1, 0, -1, 1]));
  return {
    exemplars: integers(rows.flatMap((row) => Array.from({ length: PER_UNIT }, (_, i) => row + i))),
    boxes: new DataView(new Uint8Array(rows.length * PER_UNIT * 4).fill(255).buffer),
    sufficiency: effects,
    necessity: effects,
  };
}

class Large extends FakeModel {
  constructor() {
    super();
    const first = Array.from({ length: KNOWN }, (_, row) => row);
    const { head, units, effects } = this.state;
    const { exemplars = null, boxes = null, sufficiency = null, necessity = null } = columns(first);
    const layers = [{ name: "conv4", size: COUNT - 10, cut: true }, { name: "conv3", size: 10, cut: false }];
    Object.assign(this.state, {
      head: { ...head, layers },
      units: { ...units, count: COUNT, rows: integers(first), exemplars, boxes },
      effects: { ...effects, sufficiency, necessity },
    });
  }

  override send(content: unknown): void {
    const message = content as Message;
    if (message.action !== "rows" && message.action !== "drivers") return super.send(content);
    this.sent.push(message);
    const rows = message.action === "rows" ? (message.rows as number[]) : [99_001, 4_001];
    const blobs: Record<string, DataView> = { driving: integers([99_001, 4_001, 3]), ...columns(rows) };
    const reply = { id: message.id, ok: !this.silent, code: "unexpected", message: "No.", rows, blobs: Object.keys(blobs) };
    queueMicrotask(() => this.fire("msg:custom", reply, Object.values(blobs)));
  }
}

let model: Large;
let store: Store;

beforeEach(() => {
  model = new Large();
  store = new Store(model);
});

afterEach(() => store.close());

describe("names", () => {
  it("give every row its id and back", () => {
    const names = new Names([{ name: "a@nmf", size: 2, cut: true }, { name: "b:c", size: 3, cut: false }]);
    const ids = [0, 1, 2, 3, 4].map((row) => names.id(row));
    expect(ids).toEqual(["a@nmf:0", "a@nmf:1", "b:c:0", "b:c:1", "b:c:2"]);
    expect(ids.map((id) => names.row(id))).toEqual([0, 1, 2, 3, 4]);
    for (const id of ["a@nmf:2", "a@nmf:-1", "a@nmf:01", "a@nmf: 1", "a@nmf:1e0", "a@nmf", "", ":", "x:0"]) expect(names.row(id)).toBe(-1);
    expect(names.id(5)).toBe("");
  });
});

describe("rows", () => {
  it("that came along need no question; the others are asked for once", async () => {
    expect(store.effect(3, 0)?.[0]).toBeCloseTo(3e-6);
    store.rows.want("grid", [0, 1, 2]);
    store.rows.want("grid", [1, 500, 501]);
    await settled();
    expect(model.actions("rows").map(({ rows }) => rows)).toEqual([[500, 501]]);
    expect(store.effect(501, 0)?.[0]).toBeCloseTo(501e-6);
    expect(store.rows.exemplars[501 * PER_UNIT + 2]).toBe(503);
    store.rows.want("grid", [500, 501]);
    await settled();
    expect(model.actions("rows")).toHaveLength(1);
  });

  it("of a unit that is opened come with it", async () => {
    store.open("conv4:70000");
    expect(store.rows.known(70_000)).toBe(false);
    await settled();
    expect(store.rows.known(70_000)).toBe(true);
    expect(store.view.notice).toBeNull();
  });

  it("that Python refuses are named once and not asked for again", async () => {
    model.silent = true;
    store.rows.want("grid", [900]);
    await settled();
    expect(store.view.notice?.message).toBe("No.");
    store.rows.want("grid", [900]);
    await settled();
    expect(model.actions("rows")).toHaveLength(1);
  });

  it("are forgotten when all is measured anew", async () => {
    store.rows.want("grid", [900]);
    await settled();
    model.change({ effects: { ...model.state.effects } });
    expect(store.rows.known(900)).toBe(false);
    expect(store.rows.known(5)).toBe(true);
  });
});

describe("filters over all of them", () => {
  it("search ids and words without asking", () => {
    store.filter({ text: "conv3:7" });
    expect(store.shown().map((row) => store.id(row))).toEqual(["conv3:7"]);
    store.filter({ text: "snow" });
    expect(store.shown()).toEqual([1, 2]);
    store.filter({ text: "", layer: "conv3" });
    expect(store.shown()).toHaveLength(10);
    store.filter({ layer: "", words: "unannotated" });
    expect(store.shown()).toHaveLength(COUNT - 3);
    expect(model.actions("drivers")).toEqual([]);
  });

  it("by class ask once; what was shown stays until the answer is here", async () => {
    store.filter({ layer: "conv3" });
    store.filter({ layer: "", target: "husky" });
    expect(store.shown()).toHaveLength(10);
    await settled();
    expect(store.shown()).toEqual([99_001, 4_001, 3]);
    expect(store.id(store.view.unit)).toBe("conv4:99001");
    expect(store.view.said).toBe("3 of 100,000 units");
    store.filter({ text: "conv4:4" });
    expect(store.shown()).toEqual([4_001]);
    store.clear();
    store.filter({ target: "husky" });
    await settled();
    expect(model.actions("drivers")).toHaveLength(1);
  });

  it("name what drives a class most, with its effects", async () => {
    await store.drivers.ask("corgi", "necessity");
    expect(store.drivers.of("corgi", "necessity")?.largest).toEqual([99_001, 4_001]);
    expect(store.effect(99_001, 0)?.[0]).toBeCloseTo(0.099001);
  });
});

describe("the fetcher", () => {
  it("fetches what is wanted now, not what was wanted before", async () => {
    const known = new Set<number>();
    const asked: number[][] = [];
    const fetcher = new Fetcher(2, (n) => known.has(n), async (numbers) => {
      asked.push(numbers);
      await settled();
      numbers.forEach((n) => known.add(n));
    }, () => undefined);
    for (let n = 0; n < 50; n++) fetcher.want("grid", [n, n + 1, n + 2]);
    await settled();
    await settled();
    await settled();
    expect(asked).toEqual([[0, 1], [49, 50], [51]]);
  });

  it("asks again when the connection is back", async () => {
    let lost = true;
    const asked: number[][] = [];
    const fetcher = new Fetcher(9, () => false, (numbers) => {
      asked.push(numbers);
      return lost ? Promise.reject(new ActionError(LOST)) : Promise.resolve();
    }, () => undefined);
    fetcher.want("grid", [1]);
    await settled();
    lost = false;
    fetcher.want("grid", [1]);
    await settled();
    expect(asked).toEqual([[1], [1]]);
  });
});

describe("sheets", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("draw what came along and fetch what comes into sight", async () => {
    vi.stubGlobal("createImageBitmap", () => Promise.resolve({ close: () => undefined }));
    const asked: number[][] = [];
    const sheet = (images: number[]) => ({ tile: 8, columns: 2, images: integers(images), pages: [new DataView(new ArrayBuffer(1))] });
    const sheets = new Sheets((images) => {
      asked.push(images);
      return Promise.resolve(sheet(images));
    }, () => undefined);
    const drawn = vi.fn();
    const context = { drawImage: drawn } as unknown as CanvasRenderingContext2D;
    const changed = vi.fn();
    const whole = { top: 0, left: 0, bottom: 1, right: 1 };
    sheets.load(sheet([40, 7, 9]), changed);
    sheets.want([7]);
    await settled();
    expect(changed).toHaveBeenCalledTimes(1);
    sheets.draw(context, 9, whole, 0, 0, 8);
    expect(drawn.mock.calls[0]?.slice(1, 5)).toEqual([0, 8, 8, 8]);
    sheets.draw(context, 8, whole, 0, 0, 8);
    expect(drawn).toHaveBeenCalledTimes(1);
    sheets.want([7, 8]);
    await settled();
    expect(asked).toEqual([[8]]);
    sheets.draw(context, 8, whole, 0, 0, 8);
    expect(drawn).toHaveBeenCalledTimes(2);
  });
});
