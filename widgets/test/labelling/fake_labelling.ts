/** A kernel that hands out questions and keeps answers, as the real one does. */

import type { Begin, LabellingModel, LabellingTraits, Pack, Question } from "../../src/labelling/labelling_payload";

export interface Sent extends Record<string, unknown> {
  id: string;
  action: string;
}

export function pack(change: Partial<Pack> = {}): Pack {
  return {
    problem: null,
    screen: "label",
    task: "label-1",
    name: "Which kind of dog is it?",
    subject: "dog",
    guidelines: "Say what you see.\n\nTake your time.",
    instructions: "1",
    cannot: "cannot tell",
    discard: "not usable",
    lease: 600,
    card: ["husky", "corgi", "poodle"].map((name) => ({
      name,
      cues: [
        { words: "snow", for: true, grade: "strong", long: 0.6, units: ["conv4:1"], exemplars: [] },
        { words: "curly coat", for: false, grade: "slight", long: 0.1, units: ["conv4:2", "conv4:3"], exemplars: [] },
      ],
      unexplained: [0.1, 0.05, 0.2],
    })),
    sprite: { tile: 64, columns: 16, count: 0, data: null },
    ...change,
  };
}

/** Ids that start with a concept and a colon ask about it. */
export function question(id: string): Question {
  return { id, word: id.includes(":") ? (id.split(":")[0] ?? "") : "", type: "image/png", heat: [2, 2], seen: [{ words: "snow", level: 1, units: ["conv4:1"] }] };
}

export class FakeKernel implements LabellingModel {
  readonly sent: Sent[] = [];
  /** Answers in force: choice by question. */
  readonly stored = new Map<string, string>();
  /** What was said beside the choice. */
  readonly details = new Map<string, unknown>();
  /** Every key that arrived, however often. */
  readonly keys: string[] = [];
  silent = false;
  refuse: { code: string; message: string; hint: string } | null = null;
  widget_manager?: { kernel?: { connectionStatus?: string; status?: string } };
  private readonly listeners = new Map<string, Set<(...args: never[]) => void>>();
  private readonly traits: LabellingTraits;
  private readonly later = new Set<string>();

  constructor(
    readonly questions = ["q1", "q2", "q3", "q4", "q5", "q6"],
    rater = "mira",
    change: Partial<Pack> = {},
    private readonly dressed: (plain: Question) => Question = (plain) => plain,
    private readonly offered: string[] | null = null,
  ) {
    this.traits = { pack: pack(change), first: null };
    if (rater !== "") this.traits.first = this.begin(rater);
  }

  begin(rater: string): Begin {
    const upcoming = this.next([]);
    const recent = [...this.stored].reverse().slice(0, 10);
    const all = [...upcoming, ...recent.map(([id]) => question(id))];
    const classes = this.traits.pack.card.map(({ name }) => name);
    return {
      rater,
      options: this.offered ?? (classes.length > 0 ? classes : ["no", "yes"]),
      upcoming,
      earlier: recent.map(([id]) => this.dressed(question(id))),
      recent: recent.map(([id, choice]) => ({ id, choice, key: `old-${id}` })),
      standing: this.standing(),
      blobs: blobs(all),
    };
  }

  standing() {
    const left = this.questions.length - this.stored.size;
    return { answered: this.stored.size, left, aside: this.later.size, elsewhere: 0, returns: 0, given: 0, needed: 12 };
  }

  private next(held: string[], n = this.traits.pack.grid ? 12 : 2): Question[] {
    const open = this.questions.filter((id) => !this.stored.has(id) && !this.later.has(id) && !held.includes(id));
    return open.slice(0, Math.max(0, n - held.length)).map((id) => this.dressed(question(id)));
  }

  get<K extends keyof LabellingTraits>(name: K): LabellingTraits[K] {
    return this.traits[name];
  }

  on(event: string, callback: (...args: never[]) => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(callback));
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

  send(content: unknown): void {
    const message = content as Sent;
    this.sent.push(message);
    if (this.silent) return;
    if (this.refuse && message.action !== "ping") {
      const refuse = this.refuse;
      queueMicrotask(() => this.fire("msg:custom", { id: message.id, ok: false, ...refuse }, []));
      return;
    }
    const reply = this.act(message);
    const found = (reply.blobs ?? {}) as Record<string, DataView>;
    const names = Object.keys(found);
    queueMicrotask(() =>
      this.fire("msg:custom", { ...reply, id: message.id, ok: true, blobs: names }, names.map((n) => found[n])),
    );
  }

  actions(name: string): Sent[] {
    return this.sent.filter(({ action }) => action === name);
  }

  private act(message: Sent): Record<string, unknown> {
    const asked = String(message.question ?? "");
    if (message.action === "enter") return { ...this.begin(String(message.rater)) };
    if (message.action === "begin") return { ...this.begin("mira") };
    if (message.action === "answer") {
      this.keys.push(String(message.key));
      this.stored.set(asked, String(message.choice));
      this.details.set(asked, message.details);
      this.later.delete(asked);
    }
    if (message.action === "answer_page") {
      (message.answers as [string, string][]).forEach(([id, choice], place) => {
        this.keys.push(`${String(message.page)}:${place}`);
        this.stored.set(id, choice);
      });
    }
    if (message.action === "withdraw_page") for (const [id] of message.answers as [string, string][]) this.stored.delete(id);
    if (message.action === "withdraw") this.stored.delete(asked);
    if (message.action === "aside") this.later.add(asked);
    if (message.action === "ping" || message.action === "leave") return {};
    const upcoming = this.next((message.held ?? []) as string[], message.n as number | undefined);
    return { upcoming, standing: this.standing(), blobs: blobs(upcoming) };
  }
}

function blobs(questions: Question[]): Record<string, DataView> {
  const found: Record<string, DataView> = {};
  for (const { id } of questions) {
    found[`picture ${id}`] = new DataView(new Uint8Array([1]).buffer);
    found[`heat ${id}`] = new DataView(new Uint8Array([0, 1, 2, 3]).buffer);
  }
  return found;
}

export async function settled(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
