/** What was done and is not stored yet. It outlives the page: it lies in the browser, too. */

import type { Details } from "./judging";

export type Operation =
  | { op: "answer"; question: string; choice: string; key: string; seconds: number; shown: string; answered: string; details?: Details }
  | { op: "answer_page"; page: string; answers: [string, string][]; seconds: number; shown: string; answered: string }
  | { op: "withdraw"; question: string; of: string }
  | { op: "withdraw_page"; answers: [string, string][] }
  | { op: "aside"; question: string; later: boolean };

/** The questions that an operation is about. */
export function questionsOf(operation: Operation): string[] {
  return "answers" in operation ? operation.answers.map(([question]) => question) : [operation.question];
}

/** The answers that an operation gives: question, choice, key, and what was said beside it. */
export function answersIn(operation: Operation): { id: string; choice: string; key: string; details?: Details | undefined }[] {
  if (operation.op === "answer") {
    const { question: id, choice, key, details } = operation;
    return [{ id, choice, key, details }];
  }
  if (operation.op !== "answer_page") return [];
  // As Python names them.
  return operation.answers.map(([id, choice], place) => ({ id, choice, key: `${operation.page}:${place}` }));
}

interface Entry {
  at: string;
  operation: Operation;
}

type Keeper = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

let count = 0;

/** A browser may keep nothing: then the page alone does. */
export function keeper(): Keeper | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

export class Outbox {
  private entries: Entry[] = [];
  private readonly prefix: string;

  constructor(task: string, rater: string, private readonly storage: Keeper | null = keeper()) {
    this.prefix = `circuitz-labelling/${task}/${encodeURIComponent(rater)}/`;
    this.restore();
  }

  get length(): number {
    return this.entries.length;
  }

  /** The oldest that is not stored yet. */
  get first(): Operation | undefined {
    return this.entries[0]?.operation;
  }

  get all(): Operation[] {
    return this.entries.map(({ operation }) => operation);
  }

  add(operation: Operation): void {
    // Times sort as text; the count keeps two of one millisecond apart.
    const at = `${String(Date.now()).padStart(15, "0")}-${String(++count).padStart(6, "0")}-${Math.random().toString(36).slice(2, 8)}`;
    this.entries.push({ at, operation });
    try {
      this.storage?.setItem(this.prefix + at, JSON.stringify(operation));
    } catch {
      // A full or forbidden storage: the page still holds it.
    }
  }

  /** The oldest is stored, or can never be. */
  done(): void {
    const entry = this.entries.shift();
    if (!entry) return;
    try {
      this.storage?.removeItem(this.prefix + entry.at);
    } catch {
      // As above; sent again it changes nothing.
    }
  }

  private restore(): void {
    const found: Entry[] = [];
    try {
      for (let i = 0; i < (this.storage?.length ?? 0); i++) {
        const name = this.storage?.key(i) ?? "";
        if (!name.startsWith(this.prefix)) continue;
        const operation = parse(this.storage?.getItem(name) ?? "");
        if (operation) found.push({ at: name.slice(this.prefix.length), operation });
      }
    } catch {
      return;
    }
    this.entries = found.sort((a, b) => (a.at < b.at ? -1 : 1));
  }
}

function parse(text: string): Operation | null {
  try {
    const value = JSON.parse(text) as { op?: unknown; question?: unknown; answers?: unknown } | null;
    const one = value?.op === "answer" || value?.op === "withdraw" || value?.op === "aside";
    const page = value?.op === "answer_page" || value?.op === "withdraw_page";
    const whole = (one && typeof value.question === "string") || (page && Array.isArray(value.answers));
    return whole ? (value as Operation) : null;
  } catch {
    return null;
  }
}

/** A key by which an answer that is sent twice is stored once. */
export function newKey(): string {
  const bytes = new Uint8Array(16);
  crypto.getRandomValues(bytes);
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
