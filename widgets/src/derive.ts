/** Pure questions about the traits: no state, no elements. */

import type { Finding, Verdict, Word } from "./protocol";
import type { Store } from "./store";
import type { Filter } from "./view";

/** Claims about a class as a whole: the units they name are witnesses, not culprits. */
const OF_CLASSES = new Set(["missing-support", "unexplained-effect"]);

export function blames({ kind }: Finding): boolean {
  return !OF_CLASSES.has(kind);
}

export interface Derived {
  rows: Map<string, number>;
  words: Map<number, Word>;
  findings: Map<number, Finding[]>;
  sufficiency: Float32Array;
  necessity: Float32Array;
  exemplars: Int32Array;
  boxes: Float32Array;
}

/** A binary trait as numbers; copied, because buffers need not be aligned. */
export function columnOf(view: DataView | null): Float32Array {
  if (!view) return new Float32Array();
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** The class a unit drives most, where its interval leaves no effect behind. */
export function driveOf(store: Store, row: number): { target: string; estimate: number } | null {
  let best: { target: string; estimate: number } | null = null;
  store.trait("effects").targets.forEach((target, k) => {
    const effect = store.effect(row, k, "sufficiency");
    if (!effect || effect[1] <= 0) return;
    if (!best || effect[0] > best.estimate) best = { target, estimate: effect[0] };
  });
  return best;
}

const ORDER: Verdict[] = ["flagged", "inconclusive", "supported"];

/** The verdict a tile's badge shows: the worst that stands against the unit itself. */
export function worstOf(findings: Finding[]): { verdict: Verdict; count: number } | null {
  for (const verdict of ORDER) {
    const count = findings.filter((f) => f.verdict === verdict && !f.waiver && blames(f)).length;
    if (count > 0) return { verdict, count };
  }
  return null;
}

export function matchesFilter(store: Store, row: number, filter: Filter): boolean {
  const { ids, layer } = store.trait("units");
  const head = store.trait("head");
  const word = store.word(row);
  if (filter.layer !== "" && head.layers[layer[row] ?? -1]?.name !== filter.layer) return false;
  if (filter.words === "annotated" && !word) return false;
  if (filter.words === "unannotated" && word) return false;
  if (filter.words === "proposed" && word?.kind !== "rule") return false;
  if (filter.finding !== "any") {
    const found = store.data.findings.get(row) ?? [];
    const verdict = worstOf(found)?.verdict;
    if (filter.finding === "some" ? found.length === 0 : verdict !== filter.finding) return false;
  }
  if (filter.target !== "") {
    const target = store.trait("effects").targets.indexOf(filter.target);
    const effect = store.effect(row, target, "sufficiency");
    if (!effect || effect[1] <= 0) return false;
  }
  const wanted = filter.text.trim().toLowerCase();
  if (wanted === "") return true;
  const said = [ids[row] ?? "", word?.text ?? "", ...(word?.concepts ?? []), word?.author ?? ""];
  const text = said.join(" ").toLowerCase();
  return wanted.split(/\s+/).every((part) => text.includes(part));
}
