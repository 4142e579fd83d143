/** What the labelling screen knows, and what a person can do on it. */

import "./flush";
import type { Begin, LabellingModel, Pack, Question, Standing } from "./labelling_protocol";
import { keeper, Outbox } from "./labelling_outbox";
import type { Operation } from "./labelling_outbox";
import { ActionError, Link } from "./link";
import type { LinkState } from "./link";
import type { Failure, Reply } from "./protocol";

export interface Held {
  question: Question;
  picture: DataView;
  heat: DataView | null;
}

export interface Given {
  id: string;
  choice: string;
  key: string;
  saved: boolean;
}

export interface View {
  link: LinkState;
  /** The question on the screen; null when there is none. */
  current: string | null;
  help: boolean;
  filter: string;
  /** Which of the signs seen is shown on the picture; -1 for none, null for all at once. */
  mark: number | null;
  notice: (Failure & { lasting: boolean }) | null;
  said: string;
  /** Something is being asked that the screen has to wait for. */
  busy: boolean;
}

const NAME = "circuitz-name";
const SHOWN = 10;
const RETRY_MS = 3000;
const RENEW_MS = 60_000;
const WAIT_MS = 10_000;
/** Failures that sending again will not mend. */
const HOPELESS = new Set(["labelling", "malformed", "unknown-action"]);

export class LabellingStore {
  readonly link: Link;
  readonly prefix = `cz-${Math.random().toString(36).slice(2, 8)}`;
  view: View;
  rater = "";
  options: string[] = [];
  upcoming: string[] = [];
  /** Oldest first. */
  given: Given[] = [];
  standing: Standing = { answered: 0, left: 0, aside: 0, elsewhere: 0, returns: 0, given: 0, needed: 0 };
  outbox: Outbox | null = null;
  private readonly held = new Map<string, Held>();
  private readonly listeners = new Set<() => void>();
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private sending = false;
  private asking = false;
  private shown = { id: "", since: "", seconds: 0, seenAt: 0 };
  private closed = false;

  constructor(
    readonly model: LabellingModel,
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.view = {
      link: "ok", current: null, help: false, filter: "", mark: -1, notice: null, said: "", busy: false,
    };
    this.link = new Link(model, (link) => {
      this.set({ link });
      if (link === "ok") void this.flush();
    });
    document.addEventListener("visibilitychange", this.watched);
    this.timers.push(setInterval(this.again, RETRY_MS), setInterval(this.renew, WAIT_MS));
    const first = model.get("first");
    if (first) {
      this.begin(first);
      // The kernel may have gone on since the trait was made: another view, a page opened again.
      void this.resume();
    }
  }

  get pack(): Pack {
    return this.model.get("pack");
  }

  question(id: string | null): Held | undefined {
    return id === null ? undefined : this.held.get(id);
  }

  /** The answer in force to a question, when there is one. */
  answer(id: string | null): Given | undefined {
    return this.given.find((g) => g.id === id);
  }

  /** Whether an earlier answer is open to be changed. */
  get editing(): boolean {
    return this.view.current !== null && this.view.current !== (this.upcoming[0] ?? null);
  }

  /** The options the keys stand for: all, or those a filter leaves. */
  get offered(): string[] {
    const wanted = this.view.filter.trim().toLocaleLowerCase();
    return wanted === "" ? this.options : this.options.filter((o) => o.toLocaleLowerCase().includes(wanted));
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    this.changed();
  }

  close(): void {
    this.closed = true;
    this.link.close();
    this.timers.forEach(clearInterval);
    document.removeEventListener("visibilitychange", this.watched);
  }

  // -- who --------------------------------------------------------------------------------

  /** The name given last on this browser. */
  get remembered(): string {
    try {
      return keeper()?.getItem(NAME) ?? "";
    } catch {
      return "";
    }
  }

  async enter(name: string): Promise<void> {
    this.set({ busy: true, notice: null });
    try {
      const reply = await this.link.request("enter", { rater: name });
      try {
        keeper()?.setItem(NAME, name);
      } catch {
        // Then the name is asked again next time.
      }
      this.begin(reply as unknown as Begin);
      void this.flush();
    } catch (error) {
      this.failed(error, false);
    } finally {
      this.set({ busy: false });
    }
  }

  async leave(): Promise<void> {
    await this.flush();
    this.rater = "";
    this.outbox = null;
    this.upcoming = [];
    this.given = [];
    this.set({ current: null, notice: null, filter: "" });
    await this.link.request("leave").catch(() => undefined);
  }

  private begin(data: Begin): void {
    const [...before] = this.upcoming;
    this.rater = data.rater;
    this.options = data.options;
    this.standing = data.standing;
    this.keep([...data.upcoming, ...data.earlier], data.blobs);
    this.outbox ??= new Outbox(this.pack.task, data.rater);
    this.given = [...data.recent].reverse().map((r) => ({ id: r.id, choice: r.choice, key: r.key, saved: true }));
    this.upcoming = data.upcoming.map(({ id }) => id);
    for (const operation of this.outbox.all) this.apply(operation);
    const kept = this.view.current !== null && before[0] !== this.view.current && this.answer(this.view.current);
    this.show(kept ? this.view.current : (this.upcoming[0] ?? null));
  }

  /** What lies in the outbox was done already, as far as this page is concerned. */
  private apply(operation: Operation): void {
    if (operation.op === "answer") {
      this.upcoming = this.upcoming.filter((id) => id !== operation.question);
      this.note(operation.question, operation.choice, operation.key, false);
    } else if (operation.op === "withdraw") {
      this.given = this.given.filter((g) => g.id !== operation.question);
      if (this.held.has(operation.question)) this.upcoming = [operation.question, ...this.upcoming.filter((id) => id !== operation.question)];
    } else if (operation.later) {
      this.upcoming = this.upcoming.filter((id) => id !== operation.question);
    }
  }

  private async resume(): Promise<void> {
    await this.flush();
    try {
      const reply = await this.link.request("begin");
      // Whoever has begun to answer meanwhile knows better than the reply.
      if (this.outbox?.length === 0 && !this.sending && !this.closed) this.begin(reply as unknown as Begin);
    } catch {
      // The banner says so when nobody answers; the first screen stands.
    }
  }

  // -- what a person does -----------------------------------------------------------------

  choose(choice: string): void {
    const id = this.view.current;
    if (id === null || !this.outbox || !this.held.has(id)) return;
    const editing = this.editing;
    const before = this.answer(id);
    if (editing && before?.choice === choice) {
      this.show(this.upcoming[0] ?? null);
      return;
    }
    this.look();
    const key = newKey();
    this.outbox.add({
      op: "answer", question: id, choice, key, seconds: Math.round(this.shown.seconds) / 1000,
      shown: this.shown.since, answered: new Date().toISOString(),
    });
    this.note(id, choice, key, false);
    this.upcoming = this.upcoming.filter((other) => other !== id);
    this.show(this.upcoming[0] ?? null, `${choice}. ${editing ? "Changed." : ""}`);
    void this.flush();
  }

  /** Takes the last answer back and asks again. */
  undo(): void {
    const last = this.given.at(-1);
    if (!last || !this.outbox || !this.held.has(last.id)) {
      this.set({ said: "There is no answer to take back." });
      return;
    }
    this.given = this.given.filter((g) => g !== last);
    this.outbox.add({ op: "withdraw", question: last.id, of: last.key });
    this.upcoming = [last.id, ...this.upcoming.filter((id) => id !== last.id)];
    this.show(last.id, `Taken back: ${last.choice}. Answer again.`);
    void this.flush();
  }

  /** Puts the question off until the others are done. */
  later(): void {
    const id = this.view.current;
    if (id === null || !this.outbox || this.editing) return;
    this.outbox.add({ op: "aside", question: id, later: true });
    this.upcoming = this.upcoming.filter((other) => other !== id);
    this.standing = { ...this.standing, aside: this.standing.aside + 1 };
    this.show(this.upcoming[0] ?? null, "Set aside: it comes back at the end.");
    void this.flush();
  }

  /** Opens an earlier answer, or goes back to the question that is due. */
  open(id: string | null): void {
    const wanted = id ?? this.upcoming[0] ?? null;
    if (wanted !== null && !this.held.has(wanted)) return;
    const answer = this.answer(wanted);
    this.show(wanted, answer ? `Earlier picture, answered ${answer.choice}.` : "Back to the next picture.");
  }

  /** One step among the earlier answers: -1 back, 1 towards the question that is due. */
  step(by: number): void {
    const list = this.given.filter((g) => this.held.has(g.id)).map((g) => g.id);
    const due = this.upcoming[0] ?? null;
    const at = this.view.current === due || this.view.current === null ? list.length : list.indexOf(this.view.current);
    const to = at + by;
    if (to < 0 || to > list.length) return;
    this.open(list[to] ?? null);
  }

  mark(mark: number | null): void {
    this.set({ mark });
  }

  // -- sending ----------------------------------------------------------------------------

  /** Sends what is waiting, one after the other, until nothing is left or nobody answers. */
  async flush(): Promise<void> {
    if (this.sending || !this.outbox || this.link.state === "lost") return;
    this.sending = true;
    const outbox = this.outbox;
    const restored = outbox.all.some((o) => !this.held.has(o.question));
    try {
      while (outbox === this.outbox && outbox.first) {
        const operation = outbox.first;
        if (!(await this.deliver(operation))) return;
        outbox.done();
        if (operation.op === "answer") this.stored(operation.key, operation.choice);
        this.changed();
      }
      if (this.view.notice && !this.view.notice.lasting) this.set({ notice: null });
    } finally {
      this.sending = false;
    }
    if (restored && outbox === this.outbox) {
      const reply = await this.link.request("begin").catch(() => null);
      if (reply && outbox.length === 0) this.begin(reply as unknown as Begin);
    } else if (this.upcoming.length === 0) {
      void this.more();
    }
  }

  /** Whether one operation is done with: stored, or refused for good. */
  private async deliver(operation: Operation): Promise<boolean> {
    const { op, ...args } = operation;
    try {
      const reply = await this.link.request(op, { ...args, rater: this.rater, held: this.upcoming });
      this.take(reply);
      return true;
    } catch (error) {
      const failure = error instanceof ActionError ? error.failure : null;
      if (failure && HOPELESS.has(failure.code)) {
        if (operation.op === "answer") this.given = this.given.filter((g) => g.key !== operation.key);
        this.failed(error, true);
        return true;
      }
      if (failure?.code !== "connection-lost") this.failed(error, false);
      return false;
    }
  }

  /** Asks what comes next; also renews the leases on what is on the screen. */
  private async more(): Promise<void> {
    if (this.asking || this.sending || this.rater === "" || this.link.state === "lost") return;
    this.asking = true;
    try {
      this.take(await this.link.request("next", { held: this.upcoming }));
    } catch (error) {
      if (error instanceof ActionError && error.failure.code !== "connection-lost") this.failed(error, false);
    } finally {
      this.asking = false;
    }
  }

  private take(reply: Reply): void {
    const more = (reply.upcoming ?? []) as Question[];
    this.keep(more, reply.blobs);
    // What was answered meanwhile is not asked again.
    const waiting = new Set((this.outbox?.all ?? []).map((o) => o.question));
    for (const { id } of more) {
      if (!this.upcoming.includes(id) && !waiting.has(id)) this.upcoming = [...this.upcoming, id];
    }
    this.standing = (reply.standing ?? this.standing) as Standing;
    if (this.view.current === null && this.upcoming.length > 0) this.show(this.upcoming[0] ?? null);
    else this.changed();
  }

  private again = (): void => {
    if (this.link.state === "lost") {
      void this.link.retry().catch(() => undefined);
    } else if ((this.outbox?.length ?? 0) > 0) {
      void this.flush();
    }
  };

  private ticks = 0;

  private renew = (): void => {
    this.ticks += 1;
    const waiting = this.rater !== "" && this.upcoming.length === 0;
    if (document.visibilityState !== "visible") return;
    if (waiting || this.ticks % (RENEW_MS / WAIT_MS) === 0) void this.more();
  };

  // -- keeping ----------------------------------------------------------------------------

  private keep(questions: Question[], blobs: Record<string, DataView>): void {
    for (const question of questions) {
      const picture = blobs[`picture ${question.id}`];
      if (!picture || this.held.has(question.id)) continue;
      this.held.set(question.id, { question, picture, heat: blobs[`heat ${question.id}`] ?? null });
    }
  }

  private note(id: string, choice: string, key: string, saved: boolean): void {
    const at = this.given.findIndex((g) => g.id === id);
    const given = { id, choice, key, saved };
    // A changed answer keeps its place among the last ten.
    this.given = at >= 0 ? this.given.map((g, i) => (i === at ? given : g)) : [...this.given, given].slice(-SHOWN);
    const wanted = new Set([...this.given.map((g) => g.id), ...this.upcoming, id]);
    for (const other of this.held.keys()) if (!wanted.has(other)) this.held.delete(other);
  }

  private stored(key: string, choice: string): void {
    this.given = this.given.map((g) => (g.key === key ? { ...g, saved: true } : g));
    this.view = { ...this.view, said: `Saved: ${choice}.` };
  }

  private show(current: string | null, said = ""): void {
    if (current !== this.shown.id) {
      this.shown = { id: current ?? "", since: new Date().toISOString(), seconds: 0, seenAt: this.clock() };
    }
    this.set({ current, mark: -1, filter: "", ...(said === "" ? {} : { said }) });
  }

  /** Adds up the time the picture could be seen. */
  private look(): void {
    const now = this.clock();
    if (document.visibilityState === "visible") this.shown.seconds += now - this.shown.seenAt;
    this.shown.seenAt = now;
  }

  private watched = (): void => {
    const now = this.clock();
    if (document.visibilityState !== "visible") this.shown.seconds += now - this.shown.seenAt;
    this.shown.seenAt = now;
  };

  private failed(error: unknown, lasting: boolean): void {
    const failure: Failure =
      error instanceof ActionError ? error.failure : { code: "error", message: String(error), hint: "" };
    this.set({ notice: { ...failure, lasting } });
  }

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

function newKey(): string {
  const bytes = new Uint8Array(16);
  crypto.getRandomValues(bytes);
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
