/** Asks Python for things, and knows whether it still answers. */

import type { Failure, Line, Reply } from "../studio/studio_payload";

export const LOST: Failure = {
  code: "connection-lost",
  message: "The kernel behind this screen is gone.",
  hint: "Run the cell again: everything marked saved is on disk.",
};

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
  private ignored = 0;
  private healing = false;
  // Two views of one widget hear each other's replies, so ids must differ between them.
  private readonly prefix = Math.random().toString(36).slice(2, 8);
  private readonly watch: ReturnType<typeof setInterval>;

  constructor(
    private readonly model: Line,
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
    // One ping of several may be answered: those that are not make nobody look slow.
    await this.ask("ping", {}, false);
    this.set("ok");
  }

  lose = (): void => {
    this.set("lost");
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new ActionError(LOST));
    }
    this.waiting.clear();
    this.ignored = 0;
  };

  close(): void {
    clearInterval(this.watch);
    this.model.off("msg:custom", this.heard as (...args: never[]) => void);
    for (const event of ["comm_live_update", "close", "comm:close"]) this.model.off(event, this.lose);
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }

  private ask(action: string, args: Record<string, unknown>, expected = true): Promise<Reply> {
    const id = `${this.prefix}-${++this.count}`;
    return new Promise((resolve, reject) => {
      // A busy kernel answers late: say so, but go on waiting, since it will still do the work.
      const timer = setTimeout(() => {
        if (expected && this.state === "ok") this.set("slow");
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
    // An idle kernel that does not answer knows this screen no more: it was restarted behind its back.
    this.ignored = this.state === "slow" && kernel.status === "idle" ? this.ignored + 1 : 0;
    if (this.state !== "lost") {
      if (this.bad >= 2 || other || this.ignored >= 3) this.lose();
    } else if (kernel.connectionStatus === "connected" && !other) {
      this.heal();
    }
  };

  /** The line is back: whether the screen's own kernel is at its end, one ping tells. */
  private heal(): void {
    if (this.healing) return;
    this.healing = true;
    const done = () => {
      this.healing = false;
    };
    this.retry().then(done, done);
  }

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
