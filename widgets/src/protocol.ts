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

/** One column a fact, one row a unit. Binary columns are little-endian arrays. */
export interface Units {
  ids: string[];
  layer: number[];
  /** int32 (units, 9): place in the atlas, -1 for none. */
  exemplars: DataView | null;
  /** float32 (units, 9, 4): top, left, bottom, right of the crop, 0 to 1 of the image. */
  boxes: DataView | null;
}

/** All thumbnails, each once, in square pages of `columns` × `columns`. */
export interface Atlas {
  tile: number;
  columns: number;
  pages: DataView[];
}

/** float32 (units, classes, 3): estimate, low, high; NaN outside the cut. */
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
  waiver: { author: string; reason: string; time: string } | null;
}

export interface Unexplained {
  target: string;
  estimate: number | null;
  low: number | null;
  high: number | null;
}

export interface Report {
  counts: Record<Verdict, number>;
  waived: number;
  unexplained: Unexplained[];
  findings: Finding[];
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
  positives: number;
}

export interface Exemplar {
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
  /** Pictures side by side; heat is uint8 (exemplars, height, width). */
  blobs: Record<string, DataView>;
}

export interface Traits {
  head: Head;
  units: Units;
  atlas: Atlas;
  effects: Effects;
  words: Word[];
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
export interface Model {
  get<K extends keyof Traits>(name: K): Traits[K];
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

export class ActionError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

export type LinkState = "ok" | "slow" | "lost";

interface Waiting {
  resolve: (reply: Reply) => void;
  reject: (error: ActionError) => void;
  timer: ReturnType<typeof setTimeout>;
}

const WATCH_MS = 2000;
const ANOTHER = new Set(["dead", "terminating", "restarting", "autorestarting", "starting"]);

/** Asks Python for things, and knows whether it still answers. */
export class Link {
  state: LinkState = "ok";
  private waiting = new Map<string, Waiting>();
  private count = 0;
  private bad = 0;
  // Two views of one widget hear each other's replies, so ids must differ between them.
  private readonly prefix = Math.random().toString(36).slice(2, 8);
  private readonly watch: ReturnType<typeof setInterval>;

  constructor(
    private readonly model: Model,
    private readonly changed: (state: LinkState) => void,
    private readonly patience = 4000,
  ) {
    model.on("msg:custom", this.heard as (...args: never[]) => void);
    // The manager says "live" once, before this view exists: a later word means a restart.
    model.on("comm_live_update", this.lose);
    model.on("close", this.lose);
    model.on("comm:close", this.lose);
    this.watch = setInterval(this.look, WATCH_MS);
  }

  request(action: string, args: Record<string, unknown> = {}): Promise<Reply> {
    if (this.state === "lost") return Promise.reject(new ActionError(LOST));
    return this.ask(action, args);
  }

  /** Asks again after the connection was lost; resolves when Python answers. */
  async retry(): Promise<void> {
    await this.ask("ping", {});
    this.set("ok");
  }

  lose = (): void => {
    this.set("lost");
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new ActionError(LOST));
    }
    this.waiting.clear();
  };

  close(): void {
    clearInterval(this.watch);
    this.model.off("msg:custom", this.heard as (...args: never[]) => void);
    for (const event of ["comm_live_update", "close", "comm:close"]) this.model.off(event, this.lose);
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }

  private ask(action: string, args: Record<string, unknown>): Promise<Reply> {
    const id = `${this.prefix}-${++this.count}`;
    return new Promise((resolve, reject) => {
      // A busy kernel answers late: say so, but go on waiting, since it will still do the work.
      const timer = setTimeout(() => {
        if (this.state === "ok") this.set("slow");
      }, this.patience);
      this.waiting.set(id, { resolve, reject, timer });
      try {
        this.model.send({ id, action, ...args });
      } catch {
        this.lose();
      }
    });
  }

  /** A server that went away says nothing: its connection has to be looked at. */
  private look = (): void => {
    const kernel = this.model.widget_manager?.kernel;
    if (!kernel) return;
    const away = kernel.connectionStatus !== undefined && kernel.connectionStatus !== "connected";
    this.bad = away ? this.bad + 1 : 0;
    // A short break of the line heals; a kernel that starts is another one than was asked before.
    const other = kernel.status !== undefined && ANOTHER.has(kernel.status);
    if ((this.bad >= 2 || other) && this.state !== "lost") this.lose();
  };

  private heard = (
    message: { id?: string; ok?: boolean; blobs?: string[] } & Partial<Failure>,
    buffers: DataView[] = [],
  ): void => {
    const waiting = message.id === undefined ? undefined : this.waiting.get(message.id);
    if (!waiting || message.id === undefined) return;
    this.waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (this.state === "slow") this.set("ok");
    if (message.ok) {
      const blobs: Record<string, DataView> = {};
      (message.blobs ?? []).forEach((name, i) => {
        const buffer = buffers[i];
        if (buffer) blobs[name] = buffer;
      });
      waiting.resolve({ ...message, blobs });
    } else {
      waiting.reject(
        new ActionError({
          ...message,
          code: message.code ?? "error",
          message: message.message ?? "The kernel could not do that.",
          hint: message.hint ?? "",
        }),
      );
    }
  };

  private set(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    this.changed(state);
  }
}

export const LOST: Failure = {
  code: "connection-lost",
  message: "The kernel behind this screen is gone.",
  hint: "Run the cell again: everything marked saved is on disk.",
};
