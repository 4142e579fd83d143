/** What Python and the labelling screen say to each other. */

import type { Failure, Line } from "../studio/studio_payload";

export interface Cue {
  words: string;
  for: boolean;
  grade: "very strong" | "strong" | "some" | "slight";
  /** Strength against the strongest of the card, 0 to 1. */
  long: number;
  units: string[];
  /** Places in the sprite. */
  exemplars: number[];
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
  choice: string;
  key: string;
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
