/** Where things stand on the sheet of a circuit; columns and order come from Python. */

import type { Circuit } from "../studio/studio_payload";

export const ROW = 42;
export const HEAD = 26;
const SIDE = 8;
const NARROWEST = 106;
const MOST_EDGES = 60;

export interface Placed {
  width: number;
  height: number;
  /** Width of a node. */
  node: number;
  x: number[];
  y: number[];
  left(column: number): number;
}

export function placed(circuit: Circuit, room: number): Placed {
  const columns = Math.max(1, circuit.columns.length);
  const step = Math.max(NARROWEST, (room - 2 * SIDE) / columns);
  const node = Math.min(150, Math.round(step * 0.76));
  const left = (column: number) => Math.round(SIDE + column * step + (column === columns - 1 ? step - node : 0) * 0.5);
  const places = circuit.nodes.map((n) => n.place);
  const top = Math.min(0, ...places);
  const tall = Math.max(0, ...places) - top + 1;
  return {
    width: Math.round(SIDE * 2 + columns * step),
    height: Math.round(HEAD + tall * ROW + 4),
    node,
    x: circuit.nodes.map((n) => left(n.column)),
    y: places.map((place) => Math.round(HEAD + (place - top) * ROW)),
    left,
  };
}

/** Edges that are drawn: the strongest, and all of one node. */
export function edgesShown(circuit: Circuit, at: number): number[] {
  const order = circuit.edges.map((_, i) => i);
  order.sort((a, b) => Math.abs(circuit.edges[b]?.[2] ?? 0) - Math.abs(circuit.edges[a]?.[2] ?? 0));
  const shown = new Set(order.slice(0, MOST_EDGES));
  circuit.edges.forEach((e, i) => {
    if (e[0] === at || e[1] === at) shown.add(i);
  });
  // The node's own come last, so that they lie on top.
  const own = (i: number) => Number(circuit.edges[i]?.[0] === at || circuit.edges[i]?.[1] === at);
  return [...shown].sort((a, b) => own(a) - own(b) || a - b);
}

/** The node an arrow key leads to; null for other keys. */
export function moved(circuit: Circuit, at: number, key: string): number | null {
  const from = circuit.nodes[at];
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!from || !way) return null;
  const [across, along] = way as [number, number];
  let best = at;
  let least = Infinity;
  circuit.nodes.forEach((node, i) => {
    if (i === at) return;
    const columns = (node.column - from.column) * across;
    const rows = (node.place - from.place) * along;
    const fits = across !== 0 ? columns > 0 : node.column === from.column && rows > 0;
    const distance = across !== 0 ? columns * 1000 + Math.abs(node.place - from.place) : rows;
    if (fits && distance < least) [best, least] = [i, distance];
  });
  return best;
}
