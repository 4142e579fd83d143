/** What is known of each unit; what is not is asked for as it comes into sight. */

import { Fetcher } from "../link/fetcher";
import type { Link } from "../link/link";
import type { Effects, Units } from "./studio_payload";
import type { How } from "./view";

export const PER_UNIT = 9;
const MOST = 512;

/** Columns of some rows, in their order. */
interface Columns {
  exemplars: DataView | null;
  boxes: DataView | null;
  sufficiency?: DataView | null;
  necessity?: DataView | null;
}

export class Rows {
  readonly count: number;
  /** Whether all rows came at once: then nothing is ever asked for. */
  readonly whole: boolean;
  /** (units, 9): index in the concept set, -1 for none. */
  readonly exemplars: Int32Array;
  /** (units, 9, 4): top, left, bottom, right of the crop, as shares of 255. */
  readonly boxes: Uint8Array;
  private readonly has: Uint8Array;
  private readonly effects: Record<How, Map<number, Float32Array>> = { sufficiency: new Map(), necessity: new Map() };
  private readonly targets: number;
  private readonly fetcher: Fetcher;

  constructor(units: Units, effects: Effects, link: Link, changed: () => void, failed: (error: unknown) => void) {
    this.count = units.count;
    this.whole = units.rows === null;
    this.targets = effects.targets.length;
    this.exemplars = new Int32Array(this.count * PER_UNIT).fill(-1);
    this.boxes = new Uint8Array(this.count * PER_UNIT * 4);
    this.has = new Uint8Array(this.count);
    const rows = units.rows ? integersOf(units.rows) : Int32Array.from({ length: this.count }, (_, row) => row);
    this.take(rows, { exemplars: units.exemplars, boxes: units.boxes, sufficiency: effects.sufficiency, necessity: effects.necessity });
    const fetch = async (wanted: number[]) => {
      const { blobs } = await link.request("rows", { rows: wanted });
      this.take(wanted, blobs as unknown as Columns);
      changed();
    };
    this.fetcher = new Fetcher(MOST, (row) => this.known(row), fetch, failed);
  }

  known(row: number): boolean {
    return this.has[row] === 1;
  }

  want(part: string, rows: readonly number[]): void {
    if (!this.whole) this.fetcher.want(part, rows);
  }

  /** Takes in columns of rows, in their order. */
  take(rows: ArrayLike<number>, { exemplars, boxes, sufficiency, necessity }: Columns): void {
    const images = integersOf(exemplars);
    const crops = boxes ? new Uint8Array(boxes.buffer, boxes.byteOffset, boxes.byteLength) : new Uint8Array();
    const width = this.targets * 3;
    const columns = { sufficiency: floatsOf(sufficiency ?? null), necessity: floatsOf(necessity ?? null) };
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? -1;
      if (row < 0 || row >= this.count) continue;
      this.exemplars.set(images.subarray(i * PER_UNIT, (i + 1) * PER_UNIT), row * PER_UNIT);
      this.boxes.set(crops.subarray(i * PER_UNIT * 4, (i + 1) * PER_UNIT * 4), row * PER_UNIT * 4);
      this.has[row] = 1;
      for (const how of ["sufficiency", "necessity"] as const) {
        const part = columns[how].subarray(i * width, (i + 1) * width);
        if (part.length === width && width > 0) this.effects[how].set(row, part);
      }
    }
  }

  /** Effect of one unit on one class: estimate, low, high; null outside the cut. */
  effect(row: number, target: number, how: How): [number, number, number] | null {
    const column = this.effects[how].get(row);
    if (!column || target < 0) return null;
    const value = column[target * 3];
    if (value === undefined || Number.isNaN(value)) return null;
    return [value, column[target * 3 + 1] ?? value, column[target * 3 + 2] ?? value];
  }
}

/** Binary columns as numbers; copied, because buffers need not be aligned. */
export function floatsOf(view: DataView | null): Float32Array {
  return view ? new Float32Array(copyOf(view)) : new Float32Array();
}

export function integersOf(view: DataView | null): Int32Array {
  return view ? new Int32Array(copyOf(view)) : new Int32Array();
}

function copyOf(view: DataView): ArrayBuffer {
  return (view.buffer as ArrayBuffer).slice(view.byteOffset, view.byteOffset + view.byteLength);
}
