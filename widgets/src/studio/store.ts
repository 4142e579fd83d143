/** What the screen shows right now, and everything a person can do to it. */

import { Library } from "./library";
import { ActionError, Link } from "../link/link";
import type { Atlas, Detail, Failure, Finding, Model, Reply, Traits, Word } from "./studio_payload";
import { NO_FILTER, firstView } from "./view";
import type { Filter, How, View } from "./view";
import { flush } from "../link/flush";
import { driveOf, matcher } from "./derive";
import type { Derived } from "./derive";
import { Drivers } from "./drivers";
import { number, plural } from "../parts/format";
import { Names } from "../link/unit_names";
import { Rows } from "./unit_table";

const TRAITS = ["head", "units", "atlas", "effects", "words", "concepts", "report", "graphs", "first"] as const;

export class Store {
  view: View;
  readonly link: Link;
  /** Where focus can be sent: set by the parts that own the elements, as they are drawn. */
  readonly focus: Partial<Record<"grid" | "search" | "editor" | "exemplars" | "visuals" | "root", () => void>> = {};
  /** Words typed but not written yet, by unit: moving about loses none. */
  readonly drafts = new Map<string, { text: string; confidence: number }>();
  /** Keeps element ids of two screens on one page apart. */
  readonly prefix = `cz-${Math.random().toString(36).slice(2, 8)}`;
  private listeners = new Set<() => void>();
  readonly library: Library;
  private derived: Derived | null = null;
  private visible: { key: unknown[]; rows: number[] } = { key: [], rows: [] };
  private revision: number;
  private units!: Traits["units"];
  private effects!: Traits["effects"];
  names!: Names;
  rows!: Rows;
  drivers!: Drivers;

  constructor(private readonly model: Model) {
    this.link = new Link(model, (link) => this.set({ link }));
    this.library = new Library(this.link, () => this.set({}), this.fail);
    this.view = firstView();
    this.revision = this.trait("head").revision;
    this.list();
    this.library.keep(this.trait("first"));
    const worst = this.queue()[0];
    const first = this.trait("first");
    const start = first?.unit ?? worst?.units[0] ?? (this.count > 0 ? this.id(0) : undefined);
    if (start !== undefined) this.view.unit = this.row(start);
    for (const name of TRAITS) model.on(`change:${name}`, this.updated);
  }

  close(): void {
    for (const name of TRAITS) this.model.off(`change:${name}`, this.updated);
    this.link.close();
    this.library.close();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }

  trait<K extends keyof Traits>(name: K): Traits[K] {
    return this.model.get(name);
  }

  // ---- what is derived from the traits -------------------------------------------------------

  get data(): Derived {
    this.derived ??= {
      words: new Map(this.trait("words").map((word) => [word.unit, word])),
      findings: this.findingsByUnit(),
      exemplars: this.rows.exemplars,
    };
    return this.derived;
  }

  /** How many units there are. */
  get count(): number {
    return this.names.count;
  }

  row(id: string): number {
    return this.names.row(id);
  }

  id(row: number): string {
    return this.names.id(row);
  }

  word(row: number): Word | undefined {
    return this.data.words.get(row);
  }

  /** Effect of one unit on one class: estimate, low, high; null outside the cut. */
  effect(row: number, target: number, how: How = this.view.how): [number, number, number] | null {
    return this.rows.effect(row, target, how);
  }

  drive(row: number): ReturnType<typeof driveOf> {
    return driveOf(this, row);
  }

  /** Rows that pass the filter, in the order of the grid. */
  shown(): number[] {
    const { filter } = this.view;
    const driving = filter.target === "" ? null : this.drivers.of(filter.target, "sufficiency")?.driving;
    // What drives a class is on its way: until it is here, what was shown stays.
    if (driving === undefined) return this.visible.rows;
    const key = [filter, this.data, driving];
    if (!key.every((part, i) => part === this.visible.key[i])) {
      const passes = matcher(this, filter);
      const rows: number[] = [];
      const look = (row: number) => passes(row) && rows.push(row);
      if (driving) driving.forEach(look);
      else for (let row = 0; row < this.count; row++) look(row);
      this.visible = { key, rows };
    }
    return this.visible.rows;
  }

  /** Findings a person should look at, worst first; all of them when nothing stands. */
  queue(): Finding[] {
    const all = this.trait("report").findings;
    const open = all.filter((f) => f.verdict === "flagged" && !f.waiver);
    if (open.length > 0) return open;
    const unsure = all.filter((f) => f.verdict === "inconclusive");
    return unsure.length > 0 ? unsure : all;
  }

  detail(row = this.view.unit): Detail | undefined {
    return this.library.detail(this.id(row));
  }

  // ---- moving about ---------------------------------------------------------------------------

  select(row: number): void {
    if (row < 0 || row === this.view.unit) return;
    this.set({ unit: row, conflict: null });
    this.rows.want("unit", [row]);
    void this.library.ask(this.id(row));
  }

  open(id: string): void {
    const row = this.row(id);
    if (row >= 0) this.select(row);
  }

  move(step: number): void {
    const rows = this.shown();
    if (rows.length === 0) return;
    const at = rows.indexOf(this.view.unit);
    const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
    this.select(rows[next] ?? -1);
  }

  filter(change: Partial<Filter>): void {
    this.set({ filter: { ...this.view.filter, ...change } });
    const { target } = this.view.filter;
    if (target === "" || this.drivers.of(target, "sufficiency")) this.filtered();
    else void this.drivers.ask(target, "sufficiency").then(() => target === this.view.filter.target && this.filtered());
  }

  private filtered(): void {
    const rows = this.shown();
    this.say(`${number(rows.length)} of ${plural(this.count, "unit")}`);
    if (rows.length > 0 && !rows.includes(this.view.unit)) this.select(rows[0] ?? -1);
  }

  clear(): void {
    this.filter(NO_FILTER);
  }

  draft(unit: string, draft: { text: string; confidence: number } | null): void {
    if (draft) this.drafts.set(unit, draft);
    else this.drafts.delete(unit);
    this.set({});
  }

  goto(finding: Finding): void {
    this.set({ tab: "findings", finding: finding.id, said: finding.sentence });
    const shown = finding.units.includes(this.id(this.view.unit));
    const first = finding.units[0];
    if (!shown && first !== undefined) this.open(first);
    this.focusOn("grid");
  }

  next(step: number): void {
    const queue = this.queue();
    if (queue.length === 0) {
      this.info("There are no findings yet.", this.trait("report").missing);
      return;
    }
    const at = queue.findIndex((f) => f.id === this.view.finding);
    const to = at < 0 ? (step > 0 ? 0 : queue.length - 1) : at + step;
    const finding = queue[(to + queue.length) % queue.length];
    if (finding) this.goto(finding);
  }

  // ---- asking Python --------------------------------------------------------------------------

  /** Parses words the way the check will, for the chips under the editor. */
  async parse(text: string): Promise<{ name: string; kind: string; verdict: string; why: string }[]> {
    const reply = await this.link.request("parse", { text });
    return reply.concepts as { name: string; kind: string; verdict: string; why: string }[];
  }

  /** Writes words on a unit. `base` is the annotation the person was looking at. */
  annotate(unit: string, text: string, confidence: number, base?: string): Promise<boolean> {
    // Groups have no tile: nobody saw their words here, so none can have changed unseen.
    const row = this.row(unit);
    const seen = base ?? (row < 0 ? null : (this.word(row)?.id ?? ""));
    return this.act("annotate", { unit, text, confidence, base: seen }, (failure) => {
      if (failure.code !== "conflict" || !failure.theirs) return false;
      this.set({ conflict: { unit, mine: { text, confidence }, theirs: failure.theirs } });
      this.say("Somebody else changed these words meanwhile. Choose which to keep.");
      return true;
    });
  }

  settle(mine: boolean): void {
    const conflict = this.view.conflict;
    if (!conflict) return;
    this.set({ conflict: null });
    if (mine) {
      const { text, confidence } = conflict.mine;
      void this.annotate(conflict.unit, text, confidence, conflict.theirs.id);
    } else {
      void this.act("refresh", {});
    }
  }

  undo(): Promise<boolean> {
    return this.act("undo", {});
  }

  redo(): Promise<boolean> {
    return this.act("redo", {});
  }

  waive(finding: string, author: string, reason: string): Promise<boolean> {
    return this.act("waive", { finding, author, reason });
  }

  unwaive(finding: string, author: string, reason: string): Promise<boolean> {
    return this.act("unwaive", { finding, author, reason });
  }

  /** Says what a concept is to the subject: a part of it, its surroundings … */
  sayKind(concept: string, kind: string): Promise<boolean> {
    return this.act("kind", { concept, kind });
  }

  /** Measures a circuit in the kernel, and keeps it with z. */
  measureCircuit(target: string): Promise<boolean> {
    return this.act("circuit", { target });
  }

  /** Edits which nodes of a circuit are shown as one. */
  regroup(target: string, edit: string, nodes: string[] = [], label = ""): Promise<boolean> {
    return this.act("regroup", { target, edit, nodes, label });
  }

  rename(author: string): Promise<boolean> {
    return this.act("author", { author });
  }

  refresh(): void {
    if (this.view.link === "ok") void this.act("refresh", {});
  }

  /** Fetches thumbnails, for the sheets to draw from. */
  async thumbnails(images: number[]): Promise<Atlas> {
    const { tile, columns, blobs } = await this.link.request("thumbnails", { images });
    const pages = Object.keys(blobs).map((name) => blobs[name] as DataView);
    return { tile: Number(tile), columns: Number(columns), images: new DataView(Int32Array.from(images).buffer), pages };
  }

  async reconnect(): Promise<void> {
    try {
      await this.link.retry();
    } catch (error) {
      this.fail(error);
    }
  }

  info(message: string, hint = ""): void {
    this.set({ notice: { tone: "info", code: "", message, hint }, said: message });
  }

  /** Sends focus to a part, drawing it first: the next key must find it there. */
  focusOn(part: keyof Store["focus"]): void {
    flush();
    this.focus[part]?.();
  }

  say(said: string): void {
    this.set({ said });
  }

  fail = (error: unknown): void => {
    if (!(error instanceof ActionError)) throw error;
    // A lost connection has its own banner, which stays.
    if (error.failure.code === "connection-lost") return;
    const { message, hint } = error.failure;
    this.set({ notice: { ...error.failure, tone: "error" }, said: `${message} ${hint}` });
  };

  private async act(
    action: string,
    args: Record<string, unknown>,
    handled: (failure: Failure) => boolean = () => false,
  ): Promise<boolean> {
    this.set({ busy: true });
    try {
      const reply = await this.link.request(action, args);
      this.learn(reply);
      this.set({ busy: false, notice: null });
      return true;
    } catch (error) {
      this.set({ busy: false });
      if (!(error instanceof ActionError && handled(error.failure))) this.fail(error);
      return false;
    }
  }

  private learn(reply: Reply): void {
    if (typeof reply.unit === "string" && reply.unit !== "") this.open(reply.unit);
    if (typeof reply.said === "string" && reply.said !== "") this.say(reply.said);
  }

  private updated = (): void => {
    this.derived = null;
    const revision = this.trait("head").revision;
    if (revision !== this.revision) {
      this.revision = revision;
      void this.library.renew(this.id(this.view.unit));
    }
    if (this.trait("units") !== this.units || this.trait("effects") !== this.effects) {
      // Measured anew: whatever was fetched shows what was measured before.
      this.list();
      this.library.forget();
      this.library.keep(this.trait("first"));
      void this.library.ask(this.id(this.view.unit));
    }
    this.set({});
  };

  /** Starts anew from the columns that came along. */
  private list(): void {
    this.units = this.trait("units");
    this.effects = this.trait("effects");
    this.names = new Names(this.trait("head").layers);
    const redraw = () => this.set({});
    this.rows = new Rows(this.units, this.effects, this.link, redraw, this.fail);
    this.drivers = new Drivers(this.rows, this.effects.targets, this.link, redraw, this.fail);
    this.visible = { key: [], rows: [] };
    const { target } = this.view.filter;
    if (target !== "") void this.drivers.ask(target, "sufficiency");
  }

  private findingsByUnit(): Map<number, Finding[]> {
    const found = new Map<number, Finding[]>();
    for (const finding of this.trait("report").findings) {
      for (const unit of finding.units) {
        const row = this.row(unit);
        if (row < 0) continue;
        const list = found.get(row);
        if (list) list.push(finding);
        else found.set(row, [finding]);
      }
    }
    return found;
  }
}
