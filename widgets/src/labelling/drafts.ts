/** What is being said and is not sent yet. It outlives the page: it lies in the browser, one entry a question. */

import type { Details, Reason } from "./judging";
import { keeper } from "./outbox";

export interface Draft {
  details: Details;
  /** Which part of the screen had the focus, by its `data-draft`; empty for none. */
  at: string;
}

type Keeper = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export class Drafts {
  private readonly prefix: string;
  /** What this page knows itself, for a browser that keeps nothing. */
  private readonly known = new Map<string, Draft | null>();

  constructor(task: string, rater: string, private readonly storage: Keeper | null = keeper()) {
    this.prefix = `circuitz-draft/${task}/${encodeURIComponent(rater)}/`;
  }

  of(question: string): Draft | null {
    const known = this.known.get(question);
    if (known !== undefined) return known;
    try {
      return parse(this.storage?.getItem(this.prefix + question) ?? "");
    } catch {
      return null;
    }
  }

  keep(question: string, draft: Draft): void {
    this.known.set(question, draft);
    try {
      this.storage?.setItem(this.prefix + question, JSON.stringify(draft));
    } catch {
      // A full or forbidden storage: the page still holds it.
    }
  }

  /** It was sent, or is nothing any more. */
  drop(question: string): void {
    this.known.set(question, null);
    try {
      this.storage?.removeItem(this.prefix + question);
    } catch {
      // As above.
    }
  }
}

/** What was kept, as far as it can be understood: another version may have written it. */
function parse(text: string): Draft | null {
  try {
    const { details, at } = JSON.parse(text) as Draft;
    const { reasons, note, words, text: written } = details;
    const strings = (list: unknown): list is string[] => Array.isArray(list) && list.every((one) => typeof one === "string");
    return {
      details: {
        ...(Array.isArray(reasons) && reasons.every(isReason) ? { reasons } : {}),
        ...(strings(words) ? { words } : {}),
        ...(typeof note === "string" ? { note } : {}),
        ...(typeof written === "string" ? { text: written } : {}),
      },
      at: typeof at === "string" ? at : "",
    };
  } catch {
    return null;
  }
}

function isReason(value: unknown): value is Reason {
  const one = value as Partial<Reason> | null;
  return (
    (one?.side === "a" || one?.side === "b") &&
    typeof one.class === "string" && typeof one.words === "string" &&
    (one.part === "arrow" || one.part === "words")
  );
}
