/** What the labelling screen knows, and what it sends. */

import "../link/flush";
import { Gaze } from "./gaze";
import { fold } from "../parts/fold";
import { Pile } from "./pile";
import type { Given, Held } from "./pile";
import { Drafts } from "./drafts";
import { answerName, noun, sameDetails } from "./judging";
import type { Details } from "./judging";
import type { Begin, LabellingModel, Pack, Question, ScreenKind, Standing } from "./labelling_payload";
import { firstView } from "./labelling_view";
import type { View } from "./labelling_view";
import { Grid } from "./grid_store";
import { answersIn, Outbox, questionsOf } from "./outbox";
import type { Operation } from "./outbox";
import { rememberedName, rememberName } from "./rater_name";
import { ActionError, Link } from "../link/link";
import type { Failure, Reply } from "../studio/studio_payload";

const RECENT = 10;
const RETRY_MS = 3000;
const RENEW_MS = 60_000;
const WAIT_MS = 10_000;
const REFUSED_MS = 2500;
/** Failures that sending again will not mend. */
const HOPELESS = new Set(["labelling", "malformed", "unknown-action"]);

export class LabellingDesk {
  readonly link: Link;
  readonly prefix = `cz-${Math.random().toString(36).slice(2, 8)}`;
  view: View;
  rater = "";
  options: string[] = [];
  standing: Standing = { answered: 0, left: 0, aside: 0, elsewhere: 0, returns: 0, given: 0, needed: 0 };
  outbox: Outbox | null = null;
  /** What is said beside the choice, of the question on the screen; not an answer yet. */
  draft: Details = {};
  protected drafts: Drafts | null = null;
  private at = "";
  /** The part of the draft that had the focus when the page was left; empty once it has it again. */
  leftAt = "";
  readonly grid: Grid;
  protected readonly pile = new Pile();
  protected readonly gaze: Gaze;
  private readonly listeners = new Set<() => void>();
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  /** What was asked again by the last step back. */
  protected asked: string | null = null;
  private sending = false;
  private asking = false;
  private closed = false;

  constructor(
    readonly model: LabellingModel,
    clock: () => number = () => performance.now(),
  ) {
    this.gaze = new Gaze(clock);
    this.view = firstView();
    this.grid = new Grid(this.pile, {
      pack: () => this.pack,
      keep: (operation) => this.keep(operation),
      changed: () => this.changed(),
      say: (said) => this.set({ said }),
      refuse: (why) => this.refuse(why),
    }, clock);
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

  get screen(): ScreenKind {
    return this.pack.screen;
  }

  /** What the screen asks about, in a word. */
  get noun(): string {
    return noun(this.screen);
  }

  setDraft(change: Partial<Details>): void {
    this.draft = { ...this.draft, ...change };
    this.keepDraft();
    this.changed();
  }

  /** The part of the draft that has the focus now; empty when none has. */
  draftAt(at: string): void {
    if (at === this.at) return;
    this.at = at;
    this.keepDraft();
  }

  /** Whether an earlier answer was changed on the screen and not sent. */
  get unsent(): boolean {
    return this.editing && !sameDetails(this.draft, this.answer(this.view.current)?.details);
  }

  /** Keeps what is said on the screen, unless it is what was answered, or nothing. */
  protected keepDraft(): void {
    const id = this.view.current;
    if (id === null) return;
    if (sameDetails(this.draft, this.answer(id)?.details)) this.drafts?.drop(id);
    else this.drafts?.keep(id, { details: this.draft, at: this.at });
  }

  get upcoming(): readonly string[] {
    return this.pile.upcoming;
  }

  /** Answers given last, oldest first. */
  get given(): readonly Given[] {
    return this.pile.given.slice(-RECENT);
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
    this.grid.cover(this.view.help);
    this.changed();
  }

  /** The window has room for so many pictures. */
  fitGrid(size: number, columns: number): void {
    if (this.grid.fit(size, columns)) void this.more();
  }

  turnGrid(grid: boolean): void {
    this.grid.turn(grid);
    this.show(this.pile.due);
    void this.more();
  }

  close(): void {
    this.closed = true;
    this.link.close();
    this.timers.forEach(clearInterval);
    clearTimeout(this.fading);
    this.gaze.close();
    this.grid.close();
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
    this.drafts = null;
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
    const opened = this.drafts === null;
    this.drafts ??= new Drafts(this.pack.task, data.rater);
    for (const operation of this.outbox.all) this.pile.apply(operation);
    const kept = this.view.current !== null && before !== this.view.current && this.answer(this.view.current);
    this.show(kept ? this.view.current : this.pile.due);
    if (opened && this.view.current !== null) this.leftAt = this.drafts.of(this.view.current)?.at ?? "";
    if (this.upcoming.length < this.grid.ahead) void this.more();
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

  // -- saying ------------------------------------------------------------------------------

  /** Says for a moment why something counts for nothing. */
  refuse(reason: string): void {
    const why = reason.replace("picture", this.noun);
    // A screen reader says the same words again only where something about them is new.
    const again = this.view.said === why ? "\u00a0" : "";
    this.set({ refused: why, said: why + again });
    clearTimeout(this.fading);
    this.fading = setTimeout(() => this.set({ refused: "" }), REFUSED_MS);
  }

  private fading: ReturnType<typeof setTimeout> | undefined;

  // -- sending ----------------------------------------------------------------------------

  /** Sends what is waiting, one after the other, until nothing is left or nobody answers. */
  async flush(): Promise<void> {
    if (this.sending || !this.outbox || this.link.state === "lost") return;
    this.sending = true;
    const outbox = this.outbox;
    const restored = outbox.all.some((o) => questionsOf(o).some((id) => !this.pile.has(id)));
    try {
      while (outbox === this.outbox && outbox.first) {
        const operation = outbox.first;
        if (!(await this.deliver(operation))) return;
        outbox.done();
        this.stored(operation);
        this.changed();
      }
      if (this.view.notice && !this.view.notice.lasting) this.set({ notice: null });
    } finally {
      this.sending = false;
    }
    if (restored && outbox === this.outbox) {
      const reply = await this.link.request("begin").catch(() => null);
      if (reply && outbox.length === 0) this.begin(reply as unknown as Begin);
    } else if (this.upcoming.length <= this.grid.ahead / 2) {
      void this.more();
    }
  }

  /** Whether one operation is done with: stored, or refused for good. */
  private async deliver(operation: Operation): Promise<boolean> {
    const { op, ...args } = operation;
    // What this clock says now tells a clock that is wrong from an answer that was kept.
    const sent = op === "answer" || op === "answer_page" ? { sent: new Date().toISOString() } : {};
    try {
      const reply = await this.link.request(op, { ...args, ...sent, ...(op.endsWith("_page") ? this.ahead : {}), rater: this.rater, held: this.upcoming });
      this.take(reply);
      return true;
    } catch (error) {
      const failure = error instanceof ActionError ? error.failure : null;
      if (failure && HOPELESS.has(failure.code)) {
        for (const { id, key, details } of answersIn(operation)) {
          this.pile.takeBack(key);
          // What was written comes back with the question.
          if (details) this.drafts?.keep(id, { details, at: "" });
        }
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
      this.take(await this.link.request("next", { held: this.upcoming, ...this.ahead }));
    } catch (error) {
      if (error instanceof ActionError && error.failure.code !== "connection-lost") this.failed(error, false);
    } finally {
      this.asking = false;
    }
  }

  /** How many questions a page of pictures wants to hold. */
  private get ahead(): { n?: number } {
    return this.grid.ahead > 0 ? { n: this.grid.ahead } : {};
  }

  /** Keeps what was done with a page until it is stored. */
  private keep(operation: Operation): boolean {
    if (!this.outbox) return false;
    this.outbox.add(operation);
    this.pile.apply(operation);
    this.show(this.pile.due);
    void this.flush();
    return true;
  }

  private take(reply: Reply): void {
    // What was answered meanwhile is not asked again.
    const waiting = new Set((this.outbox?.all ?? []).flatMap(questionsOf));
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

  private stored(operation: Operation): void {
    for (const { key } of answersIn(operation)) this.pile.stored(key);
    // What did not count is said to the end: the head shows that the rest is saved.
    if (operation.op === "answer" && this.view.refused === "") this.view = { ...this.view, said: `Saved: ${answerName(this.screen, operation.choice, operation.details)}.` };
  }

  protected show(current: string | null, said = ""): void {
    this.asked = null;
    this.gaze.at(current ?? "");
    const stays = current === this.view.current;
    if (!stays) this.draft = { ...((current === null ? null : this.drafts?.of(current)?.details) ?? this.answer(current)?.details) };
    this.set({ current, ...(stays ? {} : { mark: -1, filter: "", refused: "" }), ...(said === "" ? {} : { said }) });
  }

  private failed(error: unknown, lasting: boolean): void {
    const failure: Failure =
      error instanceof ActionError ? error.failure : { code: "error", message: String(error), hint: "" };
    this.set({ notice: { ...failure, lasting } });
  }

  protected changed(): void {
    this.grid.sync();
    for (const listener of [...this.listeners]) listener();
  }
}
