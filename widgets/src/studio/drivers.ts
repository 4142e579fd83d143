/** Which units drive a class: from what is here where that is everything, else asked of Python. */

import type { Link } from "../link/link";
import { integersOf } from "./unit_table";
import type { Rows } from "./unit_table";
import type { How } from "./view";

const MOST = 12;

export interface Driving {
  /** Rows whose interval lies above zero, strongest first. */
  driving: readonly number[];
  /** Rows of the largest effects of either sign. */
  largest: readonly number[];
}

export class Drivers {
  private found = new Map<string, Driving>();
  private asked = new Map<string, Promise<void>>();

  constructor(
    private readonly rows: Rows,
    private readonly targets: string[],
    private readonly link: Link,
    private readonly changed: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** What drives a class; undefined until it has come. */
  of(target: string, how: How): Driving | undefined {
    const key = `${how} ${target}`;
    const known = this.found.get(key);
    if (known || !(this.rows.whole || !this.targets.includes(target))) return known;
    const found = this.counted(this.targets.indexOf(target), how);
    this.found.set(key, found);
    return found;
  }

  /** Fetches what drives a class, once. */
  ask(target: string, how: How): Promise<void> {
    const key = `${how} ${target}`;
    if (this.of(target, how)) return Promise.resolve();
    const asked = this.asked.get(key) ?? this.fetch(target, how, key);
    this.asked.set(key, asked);
    return asked;
  }

  private async fetch(target: string, how: How, key: string): Promise<void> {
    try {
      const { blobs, rows } = await this.link.request("drivers", { target, how });
      const largest = rows as number[];
      this.rows.take(largest, { exemplars: null, boxes: null, ...blobs });
      this.found.set(key, { driving: [...integersOf(blobs.driving ?? null)], largest });
      this.changed();
    } catch (error) {
      this.failed(error);
    } finally {
      this.asked.delete(key);
    }
  }

  private counted(target: number, how: How): Driving {
    const known: { row: number; size: number; low: number }[] = [];
    for (let row = 0; row < this.rows.count; row++) {
      const effect = this.rows.effect(row, target, how);
      if (effect) known.push({ row, size: effect[0], low: effect[1] });
    }
    const above = known.filter(({ low }) => low > 0).sort((a, b) => b.size - a.size);
    const largest = known.sort((a, b) => Math.abs(b.size) - Math.abs(a.size)).slice(0, MOST);
    return { driving: above.map(({ row }) => row), largest: largest.map(({ row }) => row) };
  }
}
