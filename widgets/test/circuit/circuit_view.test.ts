import { describe, expect, it } from "vitest";
import { listed } from "../../src/circuit/hold";
import { shortId } from "../../src/circuit/node";
import { edgesShown, moved, placed } from "../../src/circuit/layout";
import type { Circuit, GraphNode } from "../../src/studio/studio_payload";

function node(id: string, column: number, place: number, kind: GraphNode["kind"] = "unit"): GraphNode {
  return { id, kind, members: kind === "unit" ? [id] : [], words: "", influence: 0.5, column, place };
}

function circuit(change: Partial<Circuit> = {}): Circuit {
  return {
    target: "husky",
    columns: ["a", "b", "husky"],
    nodes: [node("a:0", 0, -0.5), node("a:1", 0, 0.5), node("b:0", 1, 0), node("output:husky", 2, 0, "class"), node("unexplained", 0, 1.5, "unexplained")],
    edges: [[0, 2, 0.7, 0.6, 0.8], [1, 2, -0.2, -0.3, -0.1], [2, 3, 0.6, 0.5, 0.7], [4, 3, 0.4, null, null]],
    scores: {},
    kept: {},
    counts: {},
    stability: {},
    automatic: true,
    undo: false,
    units: 3,
    stale: [],
    ...change,
  };
}

describe("a circuit", () => {
  it("is laid out in columns, nothing on top of anything, all of it on the sheet", () => {
    for (const room of [100, 540, 1600]) {
      const plan = placed(circuit(), room);
      const spots = plan.x.map((x, i) => `${x},${plan.y[i]}`);
      expect(new Set(spots).size).toBe(5);
      expect(plan.x[0]).toBe(plan.x[1]);
      expect(plan.x[2]).toBeGreaterThan((plan.x[0] ?? 0) + plan.node);
      expect(Math.min(...plan.y)).toBeGreaterThan(20);
      expect(Math.max(...plan.x) + plan.node).toBeLessThanOrEqual(plan.width);
      expect(Math.max(...plan.y) + 33).toBeLessThanOrEqual(plan.height);
    }
  });

  it("is walked by arrow keys, and stays where nothing lies that way", () => {
    const c = circuit();
    expect(moved(c, 3, "ArrowLeft")).toBe(2);
    expect([0, 1]).toContain(moved(c, 2, "ArrowLeft"));
    expect(moved(c, 0, "ArrowDown")).toBe(1);
    expect(moved(c, 1, "ArrowDown")).toBe(4);
    expect(moved(c, 0, "ArrowUp")).toBe(0);
    expect(moved(c, 3, "ArrowRight")).toBe(3);
    expect(moved(c, 3, "x")).toBeNull();
  });

  it("draws the strongest edges, and all of the node one looks at, those on top", () => {
    const nodes = [...Array(90).keys()].map((i) => node(`a:${i}`, 0, i)).concat(node("b:0", 1, 0));
    const edges = [...Array(90).keys()].map((i): Circuit["edges"][number] => [i, 90, (90 - i) / 90, null, null]);
    const many = circuit({ nodes, edges });
    expect(edgesShown(many, -1)).toHaveLength(60);
    expect(edgesShown(many, -1)).not.toContain(89);
    expect(edgesShown(many, 89).at(-1)).toBe(89);
    expect(edgesShown(many, 90)).toHaveLength(90);
  });
});

describe("a node", () => {
  it("is told apart where its column has no room for its name", () => {
    expect(shortId("conv4:17")).toBe("conv4:17");
    expect(shortId("conv4@nmf:3")).toBe("nmf:3");
    expect(shortId("layer4@sae.v2:3")).toBe("sae.v2:3");
    expect(shortId("blocks.0.attn.hook_z:3")).toBe("hook_z:3");
    expect(shortId("layer4.0:3")).toBe("layer4.0:3");
  });
});

describe("outputs while a node is held", () => {
  it("are all of a few classes, and of many the target and what moves most", () => {
    const few = ["a", "b", "c"];
    expect(listed(few, "a", { before: [0, 0, 0], after: [0, 0, 0] })).toEqual([0, 1, 2]);
    const many = Array.from({ length: 24 }, (_, k) => `c${k}`);
    const before = many.map(() => 0.04);
    const after = before.map((p, k) => (k > 12 ? p + k / 100 : p));
    const found = listed(many, "c3", { before, after });
    expect(found).toHaveLength(10);
    expect(found).toContain(3);
    expect(found).toEqual([3, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
  });
});
