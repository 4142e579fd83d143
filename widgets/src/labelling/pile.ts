/** The questions a screen holds: those that come, those answered last, and their pictures. */

import { WRITTEN } from "./judging";
import type { Details } from "./judging";
import { answersIn, questionsOf } from "./outbox";
import type { Operation } from "./outbox";
import type { Begin, Question } from "./labelling_payload";

/** The last ten can be changed; a whole page of the grid can be taken back. */
const KEPT = 40;

export interface Held {
  question: Question;
  /** Null where none is shown. */
  picture: DataView | null;
  heat: DataView | null;
}

export interface Given {
  id: string;
  choice: string;
  key: string;
  saved: boolean;
  details?: Details | undefined;
}

export class Pile {
  upcoming: string[] = [];
  /** Oldest first. */
  given: Given[] = [];
  private readonly held = new Map<string, Held>();

  question(id: string | null): Held | undefined {
    return id === null ? undefined : this.held.get(id);
  }

  has(id: string): boolean {
    return this.held.has(id);
  }

  /** The answer in force to a question, when there is one. */
  answer(id: string | null): Given | undefined {
    return this.given.find((g) => g.id === id);
  }

  /** The question that is due. */
  get due(): string | null {
    return this.upcoming[0] ?? null;
  }

  /** Starts from what Python knows; pictures that are here already stay. */
  begin({ upcoming, earlier, recent, blobs }: Pick<Begin, "upcoming" | "earlier" | "recent" | "blobs">): void {
    this.keep([...upcoming, ...earlier], blobs);
    this.given = [...recent].reverse().map(({ id, choice, key, details }) => ({ id, choice: choice ?? WRITTEN, key, saved: true, details }));
    this.upcoming = upcoming.map(({ id }) => id);
  }

  clear(): void {
    this.upcoming = [];
    this.given = [];
  }

  /** Takes in questions that come, but for those answered meanwhile. */
  add(questions: Question[], blobs: Record<string, DataView>, answered: Set<string>): void {
    this.keep(questions, blobs);
    const fresh = questions.map(({ id }) => id).filter((id) => !this.upcoming.includes(id) && !answered.has(id));
    this.upcoming = [...this.upcoming, ...new Set(fresh)];
  }

  /** Does again what lies in the outbox: it was done already, as far as the page is concerned. */
  apply(operation: Operation): void {
    const ids = questionsOf(operation);
    for (const { id, choice, key, details } of answersIn(operation)) {
      this.putAway(id);
      this.note(id, choice, key, details);
    }
    if (operation.op === "withdraw" || operation.op === "withdraw_page") {
      this.given = this.given.filter((g) => !ids.includes(g.id));
      for (const id of [...ids].reverse()) if (this.held.has(id)) this.askAgain(id);
    } else if (operation.op === "aside" && operation.later) {
      ids.forEach((id) => this.putAway(id));
    }
  }

  putAway(id: string): void {
    this.upcoming = this.upcoming.filter((other) => other !== id);
  }

  askAgain(id: string): void {
    this.upcoming = [id, ...this.upcoming.filter((other) => other !== id)];
  }

  /** Notes an answer, not yet stored; a changed one keeps its place among the last ten. */
  note(id: string, choice: string, key: string, details?: Details): void {
    const at = this.given.findIndex((g) => g.id === id);
    const given = { id, choice, key, saved: false, details };
    this.given = at >= 0 ? this.given.map((g, i) => (i === at ? given : g)) : [...this.given, given].slice(-KEPT);
    const wanted = new Set([...this.given.map((g) => g.id), ...this.upcoming, id]);
    for (const other of this.held.keys()) if (!wanted.has(other)) this.held.delete(other);
  }

  stored(key: string): void {
    this.given = this.given.map((g) => (g.key === key ? { ...g, saved: true } : g));
  }

  takeBack(key: string): void {
    this.given = this.given.filter((g) => g.key !== key);
  }

  private keep(questions: Question[], blobs: Record<string, DataView>): void {
    for (const question of questions) {
      const picture = blobs[`picture ${question.id}`] ?? null;
      if ((!picture && question.type !== "") || this.held.has(question.id)) continue;
      this.held.set(question.id, { question, picture, heat: blobs[`heat ${question.id}`] ?? null });
    }
  }
}
