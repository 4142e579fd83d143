/** What is said beside a choice: reasons and a note of a comparison, words and text of a hypothesis. */

import type { ScreenKind } from "./labelling_payload";

export type Side = "a" | "b";

export interface Reason {
  side: Side;
  class: string;
  words: string;
  /** What was pointed at: the strength on that class, or what the sign is called. */
  part: "arrow" | "words";
}

export interface Details {
  reasons?: Reason[];
  note?: string;
  words?: string[];
  text?: string;
}

/** Choice of an answer that is words. */
export const WRITTEN = "written";

const COMPARED: Record<string, [string, string]> = {
  a: ["A is more plausible", "A"],
  b: ["B is more plausible", "B"],
  equal: ["About equal", "equal"],
  "both implausible": ["Both implausible", "neither"],
};

/** A choice as buttons name it. */
export function choiceName(screen: ScreenKind, choice: string): string {
  return screen === "compare" ? (COMPARED[choice]?.[0] ?? choice) : choice;
}

/** An answer in a few words, for the list of the last ones and for screen readers. */
export function answerName(screen: ScreenKind, choice: string, details: Details = {}): string {
  if (choice === WRITTEN) return [...(details.words ?? []), details.text ?? ""].filter((part) => part !== "").join(", ");
  return screen === "compare" ? (COMPARED[choice]?.[1] ?? choice) : choice;
}

/** What a screen asks about, as its messages call it. */
export function noun(screen: ScreenKind): string {
  return screen === "compare" ? "pair" : screen === "hidden" ? "question" : "picture";
}

/** What of a draft belongs to an answer; undefined where nothing does. */
export function detailsOf(screen: ScreenKind, choice: string, draft: Details): Details | undefined {
  const note = draft.note?.trim() ?? "";
  const text = draft.text?.trim() ?? "";
  if (choice === WRITTEN) return { words: draft.words ?? [], text };
  if (screen !== "compare") return undefined;
  const reasons = draft.reasons ?? [];
  if (reasons.length === 0 && note === "") return undefined;
  return { ...(reasons.length > 0 ? { reasons } : {}), ...(note === "" ? {} : { note }) };
}

export function sameDetails(one: Details | undefined, other: Details | undefined): boolean {
  const plain = ({ reasons = [], note = "", words = [], text = "" }: Details = {}) => JSON.stringify([reasons.map(reasonKey), note, words, text]);
  return plain(one) === plain(other);
}

export function reasonKey({ side, class: name, words, part }: Reason): string {
  return JSON.stringify([side, name, words, part]);
}

/** The list with an entry put in, or taken out where it was in. */
export function toggled<T>(list: readonly T[], entry: T, key: (one: T) => string): T[] {
  const left = list.filter((one) => key(one) !== key(entry));
  return left.length === list.length ? [...list, entry] : left;
}
