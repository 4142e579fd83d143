/** How long a picture could be seen: time with the page hidden does not count. */

export class Gaze {
  /** When it was shown, as a date. */
  since = "";
  private id: string | null = null;
  private total = 0;
  private seenAt = 0;

  constructor(private readonly clock: () => number) {
    document.addEventListener("visibilitychange", this.watched);
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.watched);
  }

  /** Starts anew when it is another picture. */
  at(id: string): void {
    if (id === this.id) return;
    this.id = id;
    this.since = new Date().toISOString();
    this.total = 0;
    this.seenAt = this.clock();
  }

  /** Milliseconds until now. */
  look(): number {
    const now = this.clock();
    if (document.visibilityState === "visible") this.total += now - this.seenAt;
    this.seenAt = now;
    return this.total;
  }

  // Hidden: what was seen until now counts. Shown again: counting starts here.
  private watched = (): void => {
    const now = this.clock();
    if (document.visibilityState !== "visible") this.total += now - this.seenAt;
    this.seenAt = now;
  };
}
