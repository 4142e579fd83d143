/** What a person can do on the labelling screen. */

import { LabellingDesk } from "./labelling_desk";
import { answerName, detailsOf, sameDetails, WRITTEN } from "./judging";
import type { Details } from "./judging";
import { newKey } from "./outbox";

export class LabellingStore extends LabellingDesk {
  /** What stood on the screen beside the last answer, though it was no part of it: who pressed
   *  *cannot tell* by mistake has the words again when they take it back. */
  private around: { key: string; draft: Details } | null = null;

  /** Answers the question on the screen; false when that does not count. */
  choose(choice: string): boolean {
    const id = this.view.current;
    if (id === null || !this.outbox || !this.pile.has(id)) return false;
    if (!this.seen(choice)) return false;
    const details = detailsOf(this.screen, choice, this.draft);
    if (choice === WRITTEN && answerName(this.screen, choice, details) === "") {
      this.refuse("Nothing is said yet: choose a word, write some, or say cannot tell.");
      return false;
    }
    const editing = this.editing;
    const before = this.answer(id);
    if (editing && before?.choice === choice && sameDetails(before.details, details)) {
      this.drafts?.drop(id);
      this.show(this.pile.due);
      return true;
    }
    const key = newKey();
    this.around = { key, draft: this.draft };
    this.outbox.add({
      op: "answer", question: id, choice, key, seconds: Math.round(this.gaze.look()) / 1000,
      shown: this.gaze.since, answered: new Date().toISOString(),
      ...(details === undefined ? {} : { details }),
    });
    this.drafts?.drop(id);
    this.pile.note(id, choice, key, details);
    this.pile.putAway(id);
    this.show(this.pile.due, `${answerName(this.screen, choice, details)}. ${editing ? "Changed." : ""}`);
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

  /** What was on the screen when the first of several quick clicks came. */
  private clicked: string | null = null;

  /** Whether an answer can be about this picture; says why where it cannot. */
  private seen(choice: string): boolean {
    const why = this.gaze.objection(this.options.includes(choice) || choice === WRITTEN);
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
    this.show(last.id, `Taken back: ${answerName(this.screen, last.choice, last.details)}. Answer again.`);
    this.draft = { ...(this.around?.key === last.key ? this.around.draft : last.details) };
    this.keepDraft();
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
    const said = answer ? answerName(this.screen, answer.choice, answer.details) : "";
    this.show(wanted, answer ? `Earlier ${this.noun}, answered ${said}.` : `Back to the next ${this.noun}.`);
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
}
