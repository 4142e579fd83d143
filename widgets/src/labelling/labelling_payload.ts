/** What Python and the labelling screen say to each other. */

import type { Failure, Line } from "../studio/studio_payload";
import type { Details } from "./judging";

/** A class with its picture, or without; two cards; or words. */
export type ScreenKind = "label" | "hidden" | "compare" | "hypothesis";

export interface Cue {
  words: string;
  for: boolean;
  grade: "very strong" | "strong" | "some" | "slight";
  /** Strength against the strongest of the card, 0 to 1. */
  long: number;
  units: string[];
  /** Places in the sprite. */
  exemplars: number[];
  /** Where its words do not hold, or were not tested; those of earlier cards tell nothing. */
  doubts?: Doubt[];
}

export interface Doubt {
  verdict: "fails" | "untested";
  text: string;
}

export interface ClassCard {
  name: string;
  cues: Cue[];
  /** Share that words do not account for: estimate, low, high. */
  unexplained: [number, number, number] | null;
}

export interface Sprite {
  tile: number;
  columns: number;
  count: number;
  data: DataView | null;
}

export interface Pack {
  /** Why there is nothing to show. */
  problem: Failure | null;
  screen: ScreenKind;
  task: string;
  name: string;
  subject: string;
  guidelines: string;
  instructions: string;
  /** The two answers that are no class. */
  cannot: string;
  discard: string;
  lease: number;
  card: ClassCard[];
  sprite: Sprite;
  /** Whether words are asked about, so that a page of pictures can be answered at once. */
  grid?: boolean;
}

export interface Seen {
  words: string;
  /** 0 as where the unit is off, 1 as where it is on. */
  level: number;
  units: string[];
}

export interface Question {
  id: string;
  /** The concept asked about; empty where answers are classes. */
  word: string;
  type: string;
  /** Height and width of each map. */
  heat: [number, number];
  seen: Seen[];
  /** The question over a picture, where each has its own. */
  asks?: string;
  /** The two cards of a comparison. */
  pair?: Pair;
  /** What is shown in place of a picture. */
  activity?: SignActivity[];
}

export interface PairCue {
  words: string;
  for: boolean;
  grade: string;
  /** Strength against the strongest of both cards, 0 to 1. */
  long: number;
  percent: number;
  interval: [number, number] | null;
  differs: boolean;
  /** Where the words were found not to hold. */
  fails: string[];
  tested: string[];
}

export interface PairSide {
  cues: PairCue[];
  remarks: string[];
}

export interface PairClass {
  name: string;
  differs: boolean;
  /** A and B; null where a card has no such class. */
  sides: [PairSide | null, PairSide | null];
}

export interface Pair {
  /** Those that differ first. */
  classes: PairClass[];
  agreement: [string[], string[]];
}

export interface SignActivity {
  words: string;
  /** -5 to 5; 0 as usual. */
  step: number;
  grade: string;
  /** Rows of digits, 9 where it is most active. */
  place: string[];
  placeName: string;
  units: string[];
}

export interface Standing {
  answered: number;
  left: number;
  aside: number;
  elsewhere: number;
  returns: number;
  given: number;
  needed: number;
}

export interface Recent {
  id: string;
  /** Null where the answer is words. */
  choice: string | null;
  key: string;
  details?: Details;
}

export interface Begin {
  rater: string;
  options: string[];
  upcoming: Question[];
  /** Questions of the recent answers. */
  earlier: Question[];
  /** Latest first. */
  recent: Recent[];
  standing: Standing;
  blobs: Record<string, DataView>;
}

export interface LabellingTraits {
  pack: Pack;
  first: Begin | null;
}

export interface LabellingModel extends Line {
  get<K extends keyof LabellingTraits>(name: K): LabellingTraits[K];
}
