/** What the labelling screen knows, and what a person can do on it. */

import "../link/flush";
import { Gaze } from "./gaze";
import { fold } from "../parts/fold";
import { Pile } from "./pile";
import type { Given, Held } from "./pile";
import type { Begin, LabellingModel, Pack, Question, Standing } from "./labelling_payload";
import { firstView } from "./labelling_view";
import type { View } from "./labelling_view";
import { newKey, Outbox } from "./outbox";
import type { Operation } from "./outbox";
import { rememberedName, rememberName } from "./rater_name";
import { ActionError, Link } from "../link/link";
import type { Failure, Reply } from "../studio/studio_payload";

const RETRY_MS = 3000;
const RENEW_MS = 60_000;
const WAIT_MS = 10_000;
const REFUSED_MS = 2500;
/** Failures that sending again will not mend. */
const HOPELESS = new Set(["labelling", "malformed", "unknown-action"]);

export class LabellingStore {
  readonly link: Link;
  readonly prefix = `cz-${Math.random().toString(36).slice(2, 8)}`;
  view: View;
  rater = "";
  options: string[] = [];
  standing: Standing = { answered: 0, left: 0, aside: 0, elsewhere: 0, returns: 0, given: 0, needed: 0 };
  outbox: Outbox | null = null;
  private readonly pile = new Pile();
  private readonly gaze: Gaze;
  private readonly listeners = new Set<() => void>();
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  /** What was asked again by the last step back. */
  private asked: string | null = null;
  private sending = false;
  private asking = false;
  private closed = false;

  constructor(
    readonly model: LabellingModel,
    clock: () => number = () => performance.now(),
  ) {
    this.gaze = new Gaze(clock);
    this.view = firstView();
    this.link = new Link(model, (link) => {
      this.set({ link });
      if (link === "ok") void this.flush();
    });
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

  get upcoming(): readonly string[] {
    return this.pile.upcoming;
  }

  /** Answers given last, oldest first. */
  get given(): readonly Given[] {
    return this.pile.given;
  }

  question(id: string | null): Held | undefined {
    return this.pile.question(id);
  }

  /** The answer in force to a question, when there is one. */
  answer(id: string | null): Given | undefined {
    return this.pile.answer(id);
  }

  /** Whether an earlier answer is open to be changed. */
  get editing(): boolean {
    return this.view.current !== null && this.view.current !== this.pile.due;
  }

  /** The options the keys stand for: all, or those a filter leaves. */
  get offered(): string[] {
    const wanted = fold(this.view.filter);
    return wanted === "" ? this.options : this.options.filter((o) => fold(o).includes(wanted));
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    this.gaze.cover(this.view.help);
    this.changed();
  }

  close(): void {
    this.closed = true;
    this.link.close();
    this.timers.forEach(clearInterval);
    clearTimeout(this.fading);
    this.gaze.close();
  }

  // -- who --------------------------------------------------------------------------------

  /** The name given last on this browser. */
  get remembered(): string {
    return rememberedName();
  }

  async enter(name: string): Promise<void> {
    this.set({ busy: true, notice: null });
    try {
      const reply = await this.link.request("enter", { rater: name });
      rememberName(name);
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
    this.pile.clear();
    this.set({ current: null, notice: null, filter: "" });
    await this.link.request("leave").catch(() => undefined);
  }

  private begin(data: Begin): void {
    const before = this.pile.due;
    this.rater = data.rater;
    this.options = data.options;
    this.standing = data.standing;
    this.pile.begin(data);
    this.outbox ??= new Outbox(this.pack.task, data.rater);
    for (const operation of this.outbox.all) this.pile.apply(operation);
    const kept = this.view.current !== null && before !== this.view.current && this.answer(this.view.current);
    this.show(kept ? this.view.current : this.pile.due);
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

  /** Answers the question on the screen; false when that does not count. */
  choose(choice: string): boolean {
    const id = this.view.current;
    if (id === null || !this.outbox || !this.pile.has(id)) return false;
    if (!this.seen(choice)) return false;
    const editing = this.editing;
    const before = this.answer(id);
    if (editing && before?.choice === choice) {
      this.show(this.pile.due);
      return true;
    }
    const key = newKey();
    this.outbox.add({
      op: "answer", question: id, choice, key, seconds: Math.round(this.gaze.look()) / 1000,
      shown: this.gaze.since, answered: new Date().toISOString(),
    });
    this.pile.note(id, choice, key);
    this.pile.putAway(id);
    this.show(this.pile.due, `${choice}. ${editing ? "Changed." : ""}`);
    void this.flush();
    return true;
  }

  /** A click, by its place in a quick row of clicks: whether it is the second of a double-click
   *  whose first one answered the picture before. However slow, it was meant for that one. */
  doubled(place: number): boolean {
    if (place < 2) this.clicked = this.view.current;
    if (place !== 2 || this.clicked === this.view.current) return false;
    this.refuse("Not counted: the second click of a double-click.");
    return true;
  }

  /** A picture is drawn, or cannot be. */
  drawn(id: string, broken: boolean): void {
    this.gaze.show(id, broken);
    if (broken && id === this.view.current) this.changed();
  }

  /** Whether the picture lies within the window. */
  onScreen(on: boolean): void {
    this.gaze.place(on);
  }

  /** Whether the browser could not draw the picture that is due. */
  get broken(): boolean {
    return this.gaze.broken;
  }

  /** Says for a moment why something counts for nothing. */
  refuse(why: string): void {
    // A screen reader says the same words again only where something about them is new.
    const again = this.view.said === why ? "\u00a0" : "";
    this.set({ refused: why, said: why + again });
    clearTimeout(this.fading);
    this.fading = setTimeout(() => this.set({ refused: "" }), REFUSED_MS);
  }

  /** What was on the screen when the first of several quick clicks came. */
  private clicked: string | null = null;
  private fading: ReturnType<typeof setTimeout> | undefined;

  /** Whether an answer can be about this picture; says why where it cannot. */
  private seen(choice: string): boolean {
    const why = this.gaze.objection(this.options.includes(choice));
    if (why !== "") this.refuse(why);
    return why === "";
  }

  /** Takes the last answer back and asks again. */
  undo(): void {
    const last = this.given.at(-1);
    if (!last || !this.outbox || !this.pile.has(last.id)) {
      this.set({ said: "There is no answer to take back." });
      return;
    }
    // The first step back is free; each further one takes back what has been looked at.
    if (this.view.current === this.asked && !this.seen("")) return;
    this.pile.takeBack(last.key);
    this.outbox.add({ op: "withdraw", question: last.id, of: last.key });
    this.pile.askAgain(last.id);
    this.show(last.id, `Taken back: ${last.choice}. Answer again.`);
    this.asked = last.id;
    void this.flush();
  }

  /** Puts the question off until the others are done. */
  later(): void {
    const id = this.view.current;
    if (id === null || !this.outbox || this.editing || !this.seen("")) return;
    this.outbox.add({ op: "aside", question: id, later: true });
    this.pile.putAway(id);
    this.standing = { ...this.standing, aside: this.standing.aside + 1 };
    this.show(this.pile.due, "Set aside: it comes back at the end.");
    void this.flush();
  }

  /** Opens an earlier answer, or goes back to the question that is due. */
  open(id: string | null): void {
    const wanted = id ?? this.pile.due;
    if (wanted !== null && !this.pile.has(wanted)) return;
    const answer = this.answer(wanted);
    this.show(wanted, answer ? `Earlier picture, answered ${answer.choice}.` : "Back to the next picture.");
  }

  /** One step among the earlier answers: -1 back, 1 towards the question that is due. */
  step(by: number): void {
    const list = this.given.filter((g) => this.pile.has(g.id)).map((g) => g.id);
    const due = this.pile.due;
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
    const restored = outbox.all.some((o) => !this.pile.has(o.question));
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
    // What this clock says now tells a clock that is wrong from an answer that was kept.
    const sent = op === "answer" ? { sent: new Date().toISOString() } : {};
    try {
      const reply = await this.link.request(op, { ...args, ...sent, rater: this.rater, held: this.upcoming });
      this.take(reply);
      return true;
    } catch (error) {
      const failure = error instanceof ActionError ? error.failure : null;
      if (failure && HOPELESS.has(failure.code)) {
        if (operation.op === "answer") this.pile.takeBack(operation.key);
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
    // What was answered meanwhile is not asked again.
    const waiting = new Set((this.outbox?.all ?? []).map((o) => o.question));
    this.pile.add((reply.upcoming ?? []) as Question[], reply.blobs, waiting);
    this.standing = (reply.standing ?? this.standing) as Standing;
    if (this.view.current === null && this.upcoming.length > 0) this.show(this.pile.due);
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

  // -- showing ----------------------------------------------------------------------------

  private stored(key: string, choice: string): void {
    this.pile.stored(key);
    // What did not count is said to the end: the head shows that the rest is saved.
    if (this.view.refused === "") this.view = { ...this.view, said: `Saved: ${choice}.` };
  }

  private show(current: string | null, said = ""): void {
    this.asked = null;
    this.gaze.at(current ?? "");
    const stays = current === this.view.current;
    this.set({ current, ...(stays ? {} : { mark: -1, filter: "", refused: "" }), ...(said === "" ? {} : { said }) });
  }

  private failed(error: unknown, lasting: boolean): void {
    const failure: Failure =
      error instanceof ActionError ? error.failure : { code: "error", message: String(error), hint: "" };
    this.set({ notice: { ...failure, lasting } });
  }

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
