/** A page of pictures: which of them show the word. One word a page, answered all at once. */

import { Gaze } from "./gaze";
import { keeper, newKey } from "./outbox";
import type { Operation } from "./outbox";
import type { Pile } from "./pile";
import type { Pack } from "./labelling_payload";

/** As Python says: fewer are a waste of a page, more are no longer looked at. */
export const LEAST_ON_PAGE = 12;
export const MOST_ON_PAGE = 40;
/** A page that was there for less was not looked at. */
const PAGE_SEEN_MS = 600;
/** So long a page that nothing was marked on may still take in more pictures. */
const GROWS_MS = 1500;
const REMEMBERED = "circuitz-word-screen";

/** What is said of a picture; a picture that nothing is said of does not show the word. */
export type Mark = "yes" | "cannot" | "discard";

/** What the grid needs of the screen's store. */
export interface GridDesk {
  pack: () => Pack;
  /** Keeps an operation until it is stored; false when nobody is there to answer. */
  keep: (operation: Operation) => boolean;
  changed: () => void;
  say: (text: string) => void;
  refuse: (why: string) => void;
}

export class Grid {
  /** Pictures of the page, in the order in which they stand. */
  ids: string[] = [];
  /** The one that the keys are about. */
  at = 0;
  /** Pictures that fit the window, and in how many columns. */
  size = LEAST_ON_PAGE;
  columns = 4;
  private chosen = remembered();
  private readonly marks = new Map<string, Mark>();
  private readonly drawn = new Map<string, boolean>();
  private readonly viewed = new Set<string>();
  private readonly gaze: Gaze;

  constructor(
    private readonly pile: Pile,
    private readonly desk: GridDesk,
    clock: () => number,
  ) {
    this.gaze = new Gaze(clock, "page", PAGE_SEEN_MS);
  }

  close(): void {
    this.gaze.close();
  }

  /** Whether this pack can be answered page by page. */
  get offered(): boolean {
    return this.desk.pack().grid === true;
  }

  get shown(): boolean {
    return this.offered && this.chosen === "grid";
  }

  /** How many questions the page and the next one need; 0 where pictures come one at a time. */
  get ahead(): number {
    return this.shown ? 2 * this.size : 0;
  }

  /** Chooses the grid, or one picture at a time; kept for the next time. */
  turn(grid: boolean): void {
    this.chosen = grid ? "grid" : "one";
    try {
      keeper()?.setItem(REMEMBERED, this.chosen);
    } catch {
      // Then it is chosen again next time.
    }
    this.sync();
    this.desk.say(grid ? "A page of pictures at a time." : "One picture at a time.");
  }

  get word(): string {
    return this.pile.question(this.ids[0] ?? null)?.question.word ?? "";
  }

  mark(id: string): Mark | undefined {
    return this.marks.get(id) ?? (this.drawn.get(id) === false ? "discard" : undefined);
  }

  /** Whether the browser could not draw a picture. */
  isBroken(id: string): boolean {
    return this.drawn.get(id) === false;
  }

  count(mark: Mark): number {
    return this.ids.filter((id) => this.mark(id) === mark).length;
  }

  /** Takes the page from the questions that are due: all of one word. */
  sync(): void {
    if (!this.shown) return;
    const due = this.pile.upcoming;
    const before = this.ids.join();
    this.ids = this.ids.filter((id) => due.includes(id));
    const word = this.pile.question(this.ids[0] ?? due[0] ?? null)?.question.word;
    const touched = this.ids.some((id) => this.marks.has(id)) || this.gaze.look() > GROWS_MS;
    if (this.ids.length === 0 || (!touched && this.ids.length < this.size)) {
      const more = due.filter((id) => !this.ids.includes(id));
      const end = more.findIndex((id) => this.pile.question(id)?.question.word !== word);
      this.ids = [...this.ids, ...(end < 0 ? more : more.slice(0, end))].slice(0, Math.max(this.size, this.ids.length));
    }
    this.at = Math.max(0, Math.min(this.at, this.ids.length - 1));
    if (this.ids.join() !== before) {
      if (!before.startsWith(this.ids[0] ?? " ")) this.at = 0;
      this.gaze.at(this.ids.join());
      this.look();
    }
  }

  /** The window changed: a page keeps its pictures, the next one has as many as fit. */
  fit(size: number, columns: number): boolean {
    const fits = Math.max(LEAST_ON_PAGE, Math.min(MOST_ON_PAGE, size));
    const larger = fits > this.size;
    if (fits === this.size && columns === this.columns) return false;
    this.size = fits;
    this.columns = columns;
    this.sync();
    this.desk.changed();
    return larger;
  }

  cover(covered: boolean): void {
    this.gaze.cover(covered);
  }

  /** A picture is decoded and painted, or cannot be. */
  paint(id: string, broken: boolean): void {
    this.drawn.set(id, !broken);
    this.look();
    if (broken) this.desk.changed();
  }

  /** A picture was within the window. */
  view(id: string): void {
    this.viewed.add(id);
  }

  // -- what a person does -----------------------------------------------------------------

  move(by: number): void {
    this.at = Math.max(0, Math.min(this.ids.length - 1, this.at + by));
    this.desk.changed();
  }

  moveTo(at: number): void {
    this.at = Math.max(0, Math.min(this.ids.length - 1, at));
    this.desk.changed();
  }

  /** Marks a picture, or takes the same mark away again. */
  toggle(id: string | undefined, mark: Mark): void {
    if (id === undefined) return;
    if (this.mark(id) === mark && this.marks.has(id)) this.marks.delete(id);
    else this.marks.set(id, mark);
    this.touched(id);
  }

  /** A click: shows it, then cannot tell, then nothing again. */
  click(id: string): void {
    const mark = this.marks.get(id);
    if (mark === undefined) this.marks.set(id, "yes");
    else if (mark === "yes") this.marks.set(id, "cannot");
    else this.marks.delete(id);
    this.at = this.ids.indexOf(id);
    this.touched(id);
  }

  /** Answers every picture of the page; false when that does not count. */
  submit(): boolean {
    if (this.ids.length === 0) return false;
    const unseen = this.ids.filter((id) => !this.viewed.has(id));
    if (unseen.length > 0 && typeof IntersectionObserver !== "undefined") {
      this.moveTo(this.ids.indexOf(unseen[0] ?? ""));
      this.desk.refuse(`Not counted: ${unseen.length === 1 ? "one picture was" : `${unseen.length} pictures were`} not in view yet.`);
      return false;
    }
    const why = this.gaze.objection(false);
    if (why !== "") {
      this.desk.refuse(why);
      return false;
    }
    const page = newKey();
    const answers = this.ids.map((id): [string, string] => [id, this.choice(id)]);
    const { word, ids } = this;
    const kept = this.desk.keep({
      op: "answer_page", page, answers, seconds: Math.round(this.gaze.look()) / 1000,
      shown: this.gaze.since, answered: new Date().toISOString(),
    });
    if (!kept) return false;
    const [yes, cannot] = [this.count("yes"), this.count("cannot")];
    this.ids = [];
    this.at = 0;
    for (const id of ids) this.forget(id);
    this.sync();
    this.desk.say(`${yes} of ${ids.length} show ${word}${cannot > 0 ? `, ${cannot} cannot be told` : ""}. Next page.`);
    return true;
  }

  /** The answers given last at once: a page, or one picture. */
  get last(): { id: string; choice: string; key: string }[] {
    const given = this.pile.given;
    const page = pageOf(given.at(-1)?.key ?? "");
    return given.filter(({ key, id }) => this.pile.has(id) && pageOf(key) === page);
  }

  /** Takes the last page back, as it was marked. */
  undo(): void {
    const last = this.last;
    if (last.length === 0) {
      this.desk.refuse("There is no page to take back.");
      return;
    }
    if (!this.desk.keep({ op: "withdraw_page", answers: last.map(({ id, key }): [string, string] => [id, key]) })) return;
    for (const { id, choice } of last) {
      const mark = this.markOf(choice);
      if (mark) this.marks.set(id, mark);
    }
    this.ids = last.map(({ id }) => id);
    this.at = 0;
    this.gaze.at(this.ids.join());
    this.look();
    this.desk.say(`Taken back: ${last.length === 1 ? "one picture" : `${last.length} pictures`}. Change what you like, then send the page again.`);
  }

  private choice(id: string): string {
    const { cannot, discard } = this.desk.pack();
    const mark = this.mark(id);
    return mark === "yes" ? "yes" : mark === "cannot" ? cannot : mark === "discard" ? discard : "no";
  }

  private markOf(choice: string): Mark | undefined {
    const { cannot, discard } = this.desk.pack();
    return choice === "yes" ? "yes" : choice === cannot ? "cannot" : choice === discard ? "discard" : undefined;
  }

  private touched(id: string): void {
    const mark = this.mark(id);
    const place = `Picture ${this.ids.indexOf(id) + 1}`;
    this.desk.say(`${place}: ${mark ? SAID[mark] : "does not show it"}.`);
  }

  private forget(id: string): void {
    this.marks.delete(id);
    this.viewed.delete(id);
  }

  /** The page is there to be looked at once all of its pictures are. */
  private look(): void {
    if (this.ids.length > 0 && this.ids.every((id) => this.drawn.has(id))) this.gaze.show(this.ids.join());
  }
}

export const SAID: Record<Mark, string> = { yes: "shows it", cannot: "cannot tell", discard: "not usable" };

/** The page that an answer was given on, by its key; an answer of its own is its own page. */
function pageOf(key: string): string {
  return key.split(":")[0] ?? key;
}

function remembered(): "grid" | "one" {
  try {
    return keeper()?.getItem(REMEMBERED) === "one" ? "one" : "grid";
  } catch {
    return "grid";
  }
}
