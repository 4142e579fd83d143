/** Fetches things by number as they come into sight: what was in sight before is given up. */

import { ActionError } from "./link";

export class Fetcher {
  /** What each part of the screen needs now. */
  private wanted = new Map<string, readonly number[]>();
  /** What was asked for and did not come: asked for again only when all is measured anew. */
  private refused = new Set<number>();
  private busy = false;

  constructor(
    private readonly most: number,
    private readonly known: (number: number) => boolean,
    private readonly fetch: (numbers: number[]) => Promise<void>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Says what a part of the screen needs; its first come first. */
  want(part: string, numbers: readonly number[]): void {
    this.wanted.set(part, numbers);
    void this.go();
  }

  private missing(): number[] {
    const found = new Set<number>();
    for (const numbers of this.wanted.values()) {
      for (const number of numbers) {
        if (found.size >= this.most) break;
        if (!this.known(number) && !this.refused.has(number)) found.add(number);
      }
    }
    return [...found];
  }

  private async go(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let next = this.missing(); next.length > 0; next = this.missing()) {
        try {
          await this.fetch(next);
        } catch (error) {
          this.failed(error);
          // Who lost the connection asks again once there is one.
          if (error instanceof ActionError && error.failure.code === "connection-lost") {
            this.wanted.clear();
            return;
          }
        }
        for (const number of next) if (!this.known(number)) this.refused.add(number);
      }
    } finally {
      this.busy = false;
    }
  }
}
