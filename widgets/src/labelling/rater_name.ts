/** The name somebody labels under, kept by the browser for the next time. */

import { keeper } from "./outbox";

const NAME = "circuitz-name";

/** The name given last on this browser; empty for none. */
export function rememberedName(): string {
  try {
    return keeper()?.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

export function rememberName(name: string): void {
  try {
    keeper()?.setItem(NAME, name);
  } catch {
    // Then the name is asked again next time.
  }
}
