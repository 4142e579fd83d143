import { describe, expect, it } from "vitest";
import { edgesShown, moved, placed } from "../src/graph_place";
import type { Circuit, GraphNode } from "../src/protocol";

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
