/** How long a picture has been seen: drawn, on the screen, in a tab that is shown, under no dialog. */

/** Milliseconds that a picture must have been seen before an answer can be about it. */
export const SEEN_MS = 250;

/** Keys that follow a refused one so closely are the same burst: nobody looks in between. */
const BURST_MS = 150;
/** A picture that takes longer to draw is waited for, and said to be. */
const LONG_MS = 1000;
const BROKEN = "Not counted: this picture cannot be drawn. Say not usable, cannot tell, or later.";

export class Gaze {
  /** When it was first there to be seen, as a date. */
  since = "";
  /** The browser could not draw it. */
  broken = false;
  private id: string | null = null;
  private drawn = false;
  private onScreen = true;
  private covered = false;
  private total = 0;
  private cameAt = 0;
  private refusedAt = -Infinity;
  /** From when on it is being seen; null while it is not. */
  private seenAt: number | null = null;

  constructor(
    private readonly clock: () => number,
    private readonly what: "picture" | "page" = "picture",
    private readonly least = SEEN_MS,
  ) {
    document.addEventListener("visibilitychange", this.turn);
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.turn);
  }

  /** Starts anew when it is another picture. */
  at(id: string): void {
    if (id === this.id) return;
    this.id = id;
    this.cameAt = this.clock();
    this.since = "";
    this.drawn = this.broken = false;
    this.total = 0;
    this.seenAt = null;
  }

  /** Its picture is decoded and painted, or cannot be. */
  show(id: string, broken = false): void {
    if (id !== this.id || this.drawn) return;
    this.drawn = true;
    this.broken = broken;
    this.turn();
  }

  /** Whether enough of it lies within the window. */
  place(onScreen: boolean): void {
    this.onScreen = onScreen;
    this.turn();
  }

  /** Whether a dialog lies over it. */
  cover(covered: boolean): void {
    this.covered = covered;
    this.turn();
  }

  /** Milliseconds until now. */
  look(): number {
    return this.total + (this.seenAt === null ? 0 : this.clock() - this.seenAt);
  }

  /** Why an answer cannot be about this picture; empty when it can. One that names what the
   *  picture shows needs a picture that could be drawn. */
  objection(names: boolean): string {
    const now = this.clock();
    const burst = now - this.refusedAt < BURST_MS;
    let why = "";
    const brief = `Not counted: this ${this.what} had only just come. Look, then answer.`;
    if (!this.drawn) why = now - this.cameAt < LONG_MS ? brief : `Not counted: the ${this.what} is not drawn yet.`;
    else if (!this.onScreen && this.look() < this.least) why = `Not counted: the ${this.what} is not in view.`;
    else if (burst || this.look() < this.least) why = brief;
    else if (this.broken && names) why = BROKEN;
    if (why !== "") this.refusedAt = now;
    return why;
  }

  private turn = (): void => {
    const seen = this.drawn && this.onScreen && !this.covered && document.visibilityState === "visible";
    if (seen === (this.seenAt !== null)) return;
    if (seen) {
      this.seenAt = this.clock();
      if (this.since === "") this.since = new Date().toISOString();
    } else {
      this.total = this.look();
      this.seenAt = null;
    }
  };
}
