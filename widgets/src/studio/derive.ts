/** Pure questions about the traits: no state, no elements. */

import { fold } from "../parts/fold";
import type { Finding, Verdict, Word } from "./studio_payload";
import type { Store } from "./store";
import type { Filter } from "./view";

/** Claims about a class as a whole: the units they name are witnesses, not culprits. */
const OF_CLASSES = new Set(["missing-support", "unexplained-effect"]);

export function blames({ kind }: Finding): boolean {
  return !OF_CLASSES.has(kind);
}

export interface Derived {
  words: Map<number, Word>;
  findings: Map<number, Finding[]>;
  exemplars: Int32Array;
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

/** Whether a row passes a filter, less the class it drives: that is a list of its own. */
export function matcher(store: Store, filter: Filter): (row: number) => boolean {
  const { words, findings } = store.data;
  const { layer, words: said, finding } = filter;
  const parts = fold(filter.text).split(" ").filter((part) => part !== "");
  const { places } = store.names;
  const within = places.find(({ name }) => name === layer);
  // What every id of a layer holds need not be looked for in each of them.
  const left = places.map(({ name }) => parts.filter((part) => !fold(name).includes(part)));
  return (row) => {
    if (layer !== "" && !(within && row >= within.first && row < within.first + within.size)) return false;
    const word = words.get(row);
    if (said === "annotated" && !word) return false;
    if (said === "unannotated" && word) return false;
    if (said === "proposed" && word?.kind !== "rule") return false;
    if (finding !== "any") {
      const found = findings.get(row) ?? [];
      if (finding === "some" ? found.length === 0 : worstOf(found)?.verdict !== finding) return false;
    }
    if (parts.length === 0) return true;
    const wanted = left[store.names.placeOf(row)] ?? parts;
    if (wanted.length === 0) return true;
    const id = store.id(row);
    const text = fold(word ? [id, word.text, ...word.concepts, word.author].join(" ") : id);
    return wanted.every((part) => text.includes(part));
  };
}
