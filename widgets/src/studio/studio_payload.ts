/** What Python and the screen say to each other: state in traits, actions by message. */

export type Verdict = "flagged" | "supported" | "inconclusive";
export type AuthorKind = "person" | "rule" | "model";

export interface Concept {
  name: string;
  kind: string;
}

/** Small facts about z; `revision` grows with every change of it. */
export interface Head {
  name: string;
  subject: string;
  classes: string[];
  hash: string;
  cut: string[];
  layers: { name: string; size: number; cut: boolean }[];
  concepts: Concept[];
  path: string;
  saved: "disk" | "memory";
  author: string;
  measured: boolean;
  images: number;
  stale: string[];
  /** What to run when something is missing; empty when everything is there. */
  missing: string;
  revision: number;
}

/** One column a fact; a row's id follows from the sizes of layers. Columns are little-endian. */
export interface Units {
  count: number;
  /** int32: the rows that came along; null when all did, in order. */
  rows: DataView | null;
  /** int32 (rows, 9): index in the concept set, -1 for none. */
  exemplars: DataView | null;
  /** uint8 (rows, 9, 4): top, left, bottom, right of the crop, as shares of 255. */
  boxes: DataView | null;
}

/** Thumbnails, each once, in square pages of `columns` × `columns`. */
export interface Atlas {
  tile: number;
  columns: number;
  /** int32: which image of the concept set is at each place. */
  images: DataView | null;
  pages: DataView[];
}

/** float32 (rows of `Units`, classes, 3): estimate, low, high; NaN outside the cut. */
export interface Effects {
  targets: string[];
  delta: number;
  split: string;
  sufficiency: DataView | null;
  necessity: DataView | null;
}

export interface Word {
  unit: number;
  id: string;
  text: string;
  concepts: string[];
  author: string;
  kind: AuthorKind;
  confidence: number;
  time: string;
}

/** Each distinct text once, and for every row the place of its own. */
export interface Coded {
  texts: string[];
  places: number[];
}

/** One column a fact, one row a column of the concept set. */
export interface ConceptTable {
  names: string[];
  kind: Coded;
  /** Who says so: a person, a project's file, the shipped lexicon, WordNet, or nobody: unknown. */
  kind_from: Coded;
  /** What it is a kind of, and which earlier column is the same concept; empty where nothing is known. */
  is_a: Coded;
  same_as: Coded;
  /** How many inputs are labelled with it, and without it; one entry, without a name, for a set that is not split. */
  counts: { split: string; shown: number[]; not_shown: number[] }[];
  /** Why there are none; empty when there are some. */
  missing: string;
}

export interface Remedy {
  action: string;
  label: string;
  arguments: Record<string, unknown>;
  command: string;
}

export interface Finding {
  id: string;
  kind: string;
  verdict: Verdict;
  units: string[];
  target: string;
  sentence: string;
  estimate: number | null;
  ci: [number | null, number | null];
  delta: number;
  p: number | null;
  q: number | null;
  n: number;
  family: number;
  power: number | null;
  chain: string[];
  pictures: string[];
  remedies: Remedy[];
  decide: string;
  python: string;
  waiver: Decision | null;
  /** Every decision to let it stand or to do so no longer, the latest first. */
  decided: Decision[];
}

export interface Decision {
  author: string;
  reason: string;
  time: string;
  withdrawn: boolean;
}

export interface Unexplained {
  target: string;
  estimate: number | null;
  low: number | null;
  high: number | null;
}

/** Something wrong with what was checked, by name. */
export interface Problem {
  code: string;
  message: string;
  hint: string;
  /** Concepts somebody is asked to say something of. */
  concepts: string[];
}

/** Whether words hold on one population of inputs, and on how much that rests. */
export interface WordVerdict {
  population: string;
  verdict: "holds" | "fails" | "untested";
  text: string;
  estimate: number | null;
  low: number | null;
  high: number | null;
  n: number;
}

/** One concept that an annotation names. */
export interface TestedWord {
  /** The unit or group that bears the words. */
  target: string;
  units: string[];
  concept: string;
  matches: WordVerdict[];
}

export interface Report {
  counts: Record<Verdict, number>;
  waived: number;
  problems: Problem[];
  unexplained: Unexplained[];
  findings: Finding[];
  words: TestedWord[];
  /** Supported findings that are not listed here, only counted. */
  unlisted: number;
  /** Why there is no report; empty when there is one. */
  missing: string;
  milliseconds: number;
}

export interface LogEntry {
  id: string;
  text: string;
  author: string;
  kind: AuthorKind;
  confidence: number;
  time: string;
  what: "wrote" | "withdrew" | "undid" | "redid";
  current: boolean;
}

export interface Match {
  concept: string;
  kind: string;
  score: number | null;
  pearson: number | null;
  /** Share of all the unit matches that this concept holds. */
  purity: number | null;
  positives: number;
  /** Change of the response, in its standard deviations, when the concept is put into an image; low; high. */
  paired: [number | null, number | null, number | null];
  /** Pairs of images that differ in the concept alone. */
  pairs: number;
}

export interface Exemplar {
  /** Index in the concept set. */
  image: number;
  peak: number | null;
  box: [number, number, number, number];
  shows: string[];
}

export interface Detail {
  unit: string;
  exemplars: Exemplar[];
  /** Width and height of each picture in the strips below. */
  size: [number, number];
  heat: [number, number];
  histogram: { counts: number[]; edges: number[]; threshold: number | null } | null;
  matches: Match[];
  history: LogEntry[];
  mean: number | null;
  max: number | null;
  /** Each empty where it was not measured. */
  statistics: Partial<Record<"mean" | "deviation" | "active" | "low" | "high", number | null>>;
  quality: Partial<Record<"clarity" | "polysemanticity" | "redundancy", number | null>> & { embedding?: string };
  neighbours: { unit: string; correlation: number | null }[];
  /** Whether there are rows of pictures to ask for: by class and by strength. */
  more: boolean;
  /** Token sequences of the exemplars; null for images. */
  contexts: (Context | null)[];
  /** Runs of feature visualisation that are kept, the last first. */
  visuals: Visual[];
  /** Pictures side by side; heat is uint8 (exemplars, height, width). */
  blobs: Record<string, DataView>;
}

/** A token sequence, and the positions it is about: the one that looks, the one looked at. */
export interface Context {
  tokens: string[];
  focus: number[];
}

/** A run of feature visualisation: hashes of its pictures, and how they were made. */
export interface Visual {
  pictures: string[];
  how: string;
  steps: number;
  negative: boolean;
}

/** Answer to `optimise`, `optimising` and `cancel`; pictures so far are the blob `preview`. */
export interface Job {
  state: "idle" | "running" | "done" | "cancelled" | "failed";
  unit: string;
  /** Share of the steps. */
  done: number;
  turn: number;
  each?: number;
  stamp?: number;
  size?: [number, number];
  failure?: Failure;
}

/** Answer to `attribute`: pictures `input`, `raises` and `lowers` are blobs. */
export interface Attributed {
  target: string;
  /** Share of all attribution that raises the target. */
  raises: number | null;
  python: string;
  blobs: Record<string, DataView>;
}

/** Answer to `pattern`: the blob is float32 (queries, keys). */
export interface Pattern extends Context {
  python: string;
  blobs: Record<string, DataView>;
}

/** Answer to `writes`. */
export interface Writes {
  raises: { token: string; change: number | null }[];
  lowers: { token: string; change: number | null }[];
  inputs: number;
  python: string;
}

/** One picture of a row: the image, its place in the strip, and its figures. */
export interface ResponseCell {
  image: number;
  at: number;
  shows: string[];
  response: number | null;
  share?: number | null;
}

export interface ResponseRow {
  name: string;
  cells: ResponseCell[];
}

/** Answer to `responds`; the strip is a blob. */
export interface Responses {
  unit: string;
  spectrum: ResponseRow[];
  relevant: ResponseRow[];
  unlisted: number;
  size: [number, number];
}

/** A unit, units shown together, the class, the tokens, or what nothing in the graph explains. */
export interface GraphNode {
  id: string;
  kind: "unit" | "class" | "unexplained" | "input";
  members: string[];
  words: string;
  influence: number;
  column: number;
  /** Place within the column, centred at 0. */
  place: number;
}

export interface Circuit {
  target: string;
  columns: string[];
  nodes: GraphNode[];
  /** Source, target, share, low, high; no interval for sums. */
  edges: [number, number, number, number | null, number | null][];
  scores: Record<string, number>;
  kept: Record<string, number>;
  counts: Record<string, number>;
  stability: Record<string, number | null>;
  /** Whether nodes are shown together by concept, and whether an edit of that can be undone. */
  automatic: boolean;
  undo: boolean;
  /** Units in it, each counted. */
  units: number;
  stale: string[];
}

export interface Graphs {
  circuits: Record<string, Circuit>;
  path: string;
  problem: string;
}

export interface Traits {
  graphs: Graphs;
  head: Head;
  units: Units;
  atlas: Atlas;
  effects: Effects;
  words: Word[];
  concepts: ConceptTable;
  report: Report;
  first: Detail | null;
}

export interface Failure {
  code: string;
  message: string;
  hint: string;
  theirs?: { id: string; text: string; author: string; time: string };
}

export type Reply = Record<string, unknown> & { blobs: Record<string, DataView> };

/** The part of an anywidget model the screen uses. */
export interface Model extends Line {
  get<K extends keyof Traits>(name: K): Traits[K];
}

/** What is needed to talk to Python. */
export interface Line {
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
  send(content: unknown): void;
  /** JupyterLab's and Voila's manager know the kernel; others may not. */
  widget_manager?: { kernel?: Kernel | null };
}

interface Kernel {
  connectionStatus?: string;
  status?: string;
}
