/** What one screen shows of a z: where a person is, and what they were told. */

import type { LinkState } from "../link/link";
import type { Failure } from "./studio_payload";

export type Tab = "units" | "findings" | "classes" | "graph" | "concepts";
export type How = "sufficiency" | "necessity";

export interface Filter {
  text: string;
  layer: string;
  target: string;
  words: "any" | "annotated" | "unannotated" | "proposed";
  finding: "any" | "flagged" | "inconclusive" | "some";
}

export interface Notice extends Failure {
  tone: "error" | "info";
}

export interface Conflict {
  unit: string;
  mine: { text: string; confidence: number };
  theirs: NonNullable<Failure["theirs"]>;
}

export interface View {
  tab: Tab;
  /** Row of the selected unit, -1 when there is none. */
  unit: number;
  finding: string;
  target: string;
  filter: Filter;
  heat: boolean;
  crop: boolean;
  dense: boolean;
  how: How;
  link: LinkState;
  notice: Notice | null;
  conflict: Conflict | null;
  help: boolean;
  /** What a screen reader is told. */
  said: string;
  busy: boolean;
}

export const NO_FILTER: Filter = { text: "", layer: "", target: "", words: "any", finding: "any" };

export function firstView(): View {
  return {
    tab: "units",
    unit: -1,
    finding: "",
    target: "",
    filter: NO_FILTER,
    heat: false,
    crop: false,
    dense: false,
    how: "sufficiency",
    link: "ok",
    notice: null,
    conflict: null,
    help: false,
    said: "",
    busy: false,
  };
}
