/** A model as anywidget hands it over, with a kernel that answers as it is told. */

import type { Detail, Finding, Model, Traits } from "../src/studio/studio_payload";

type Answer = Record<string, unknown> | ((message: Message) => Record<string, unknown>);
export interface Message extends Record<string, unknown> {
  id: string;
  action: string;
}

export function floats(values: number[]): DataView {
  return new DataView(new Float32Array(values).buffer);
}

export function integers(values: number[]): DataView {
  return new DataView(new Int32Array(values).buffer);
}

export function finding(change: Partial<Finding> = {}): Finding {
  return {
    id: "f1",
    kind: "implausible-driver",
    verdict: "flagged",
    units: ["conv4:1", "conv4:2"],
    target: "output:husky",
    sentence: "Snow alone makes a husky.",
    estimate: 0.6,
    ci: [0.5, 0.7],
    delta: 0.1,
    p: 1e-6,
    q: 1e-5,
    n: 200,
    family: 12,
    power: 0.9,
    chain: ["snow is surroundings", "surroundings are no part of a dog"],
    pictures: [],
    remedies: [],
    decide: "",
    python: "cz.effect(z, 'conv4:1', \"output:husky\", intervention=\"sufficiency\")",
    waiver: null,
    decided: [],
    ...change,
  };
}

export function detail(unit: string): Detail {
  return {
    unit,
    exemplars: [{ image: 7, peak: 2, box: [0, 0, 0.5, 0.5], shows: ["snow"] }],
    size: [64, 64],
    heat: [0, 0],
    histogram: { counts: [5, 3, 1], edges: [0, 1, 2, 3], threshold: 2.5 },
    matches: [{ concept: "snow", kind: "surroundings", score: 0.9, pearson: 0.8, purity: 0.7, positives: 40, paired: [2.1, 1.9, 2.3], pairs: 12 }],
    history: [],
    mean: 0.4,
    max: 3,
    statistics: { mean: 0.4, deviation: 0.1, active: 0.3, low: 0, high: 3 },
    quality: { clarity: 0.7, polysemanticity: 0.2, redundancy: 0.95, embedding: "conv4" },
    neighbours: [{ unit: "conv4:2", correlation: 0.8 }],
    more: true,
    contexts: [null],
    visuals: [],
    blobs: {},
  };
}

export function traits(units = 6): Traits {
  const ids = Array.from({ length: units }, (_, i) => `conv4:${i}`);
  const effects = ids.flatMap((_, i) =>
    i === 1 || i === 2 ? [0.3, 0.2, 0.4, 0, -0.1, 0.1] : [0.01, -0.02, 0.04, 0.05, 0.01, 0.09],
  );
  return {
    head: {
      name: "dogs",
      subject: "dog",
      classes: ["husky", "corgi"],
      hash: "abcdef0123456789",
      cut: ["conv4"],
      layers: [{ name: "conv4", size: units, cut: true }],
      concepts: [
        { name: "snow", kind: "surroundings" },
        { name: "fluffy coat", kind: "part" },
      ],
      path: "/tmp/dogs.z",
      saved: "disk",
      author: "mira",
      measured: true,
      images: 100,
      stale: [],
      missing: "",
      revision: 1,
    },
    units: { count: units, rows: null, exemplars: integers(ids.flatMap(() => Array<number>(9).fill(-1))), boxes: null },
    atlas: { tile: 64, columns: 16, images: null, pages: [] },
    effects: { targets: ["husky", "corgi"], delta: 0.1, split: "test", sufficiency: floats(effects), necessity: floats(effects) },
    words: [
      word(1, "snow on the ground", "person", ["snow"]),
      word(2, "snow", "rule", ["snow"]),
      word(3, "fluffy coat", "rule", ["fluffy coat"]),
    ],
    concepts: {
      names: ["snow", "zorgle", "wavy hair"],
      kind: { texts: ["surroundings", "unknown", "part"], places: [0, 1, 2] },
      kind_from: { texts: ["shipped", "unknown", "person"], places: [0, 1, 2] },
      is_a: { texts: ["", "hair"], places: [0, 0, 1] },
      same_as: { texts: [""], places: [0, 0, 0] },
      counts: [
        { split: "select", shown: [41, 0, 3], not_shown: [59, 7, 1200] },
        { split: "test", shown: [20, 1, 4], not_shown: [30, 8, 0] },
        { split: "audit", shown: [10, 2, 5], not_shown: [15, 9, 0] },
      ],
      missing: "",
    },
    report: {
      counts: { flagged: 1, supported: 1, inconclusive: 1 },
      waived: 0,
      problems: [],
      unexplained: [
        { target: "husky", estimate: 0.12, low: 0.08, high: 0.17 },
        { target: "corgi", estimate: 0.4, low: 0.3, high: 0.5 },
      ],
      findings: [
        finding(),
        finding({ id: "f2", kind: "missing-support", verdict: "inconclusive", units: [], sentence: "Not settled.", decide: "140 more images" }),
        finding({ id: "f3", kind: "mislabelled-unit", verdict: "supported", units: ["conv4:3"], target: "", sentence: "The words fit." }),
      ],
      words: [],
      unlisted: 0,
      missing: "",
      milliseconds: 12,
    },
    graphs: { circuits: {}, path: "", problem: "" },
    first: detail("conv4:1"),
  };
}

function word(unit: number, text: string, kind: "person" | "rule", concepts: string[]) {
  return { unit, id: `w${unit}`, text, concepts, author: kind === "rule" ? "circuitz" : "mira", kind, confidence: 1, time: "2024-01-01T00:00:00Z" };
}

export class FakeModel implements Model {
  readonly sent: Message[] = [];
  readonly answers: Record<string, Answer> = {
    unit: (message) => ({ detail: detail(String(message.unit)) }),
    history: { history: [] },
    parse: (message) => ({
      concepts: String(message.text).includes("snow")
        ? [{ name: "snow", kind: "surroundings", verdict: "opposes", why: "snow is surroundings" }]
        : [],
    }),
    annotate: (message) => ({ unit: message.unit, said: "done" }),
    undo: { unit: "conv4:3", said: "undone" },
    redo: { unit: "conv4:3", said: "restored" },
    ping: {},
    refresh: {},
    author: {},
    waive: {},
    unwaive: {},
    kind: { said: "said" },
  };
  silent = false;
  readonly state: Traits;
  widget_manager?: { kernel?: { connectionStatus?: string; status?: string } };
  private listeners = new Map<string, Set<(...args: never[]) => void>>();

  constructor(state: Traits = traits()) {
    this.state = state;
  }

  get<K extends keyof Traits>(name: K): Traits[K] {
    return this.state[name];
  }

  on(event: string, callback: (...args: never[]) => void): void {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(callback));
  }

  off(event: string, callback: (...args: never[]) => void): void {
    this.listeners.get(event)?.delete(callback);
  }

  get listening(): number {
    return [...this.listeners.values()].reduce((n, some) => n + some.size, 0);
  }

  fire(event: string, ...args: unknown[]): void {
    for (const callback of [...(this.listeners.get(event) ?? [])]) callback(...(args as never[]));
  }

  change(state: Partial<Traits>): void {
    Object.assign(this.state, state);
    for (const name of Object.keys(state)) this.fire(`change:${name}`);
  }

  send(content: unknown): void {
    const message = content as Message;
    this.sent.push(message);
    if (this.silent) return;
    const answer = this.answers[message.action];
    const reply = typeof answer === "function" ? answer(message) : answer;
    queueMicrotask(() => this.fire("msg:custom", { id: message.id, ok: true, ...reply }, []));
  }

  actions(name: string): Message[] {
    return this.sent.filter(({ action }) => action === name);
  }
}

/** Waits until everything asked for was answered and drawn. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
