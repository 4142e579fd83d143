/** Which key was meant, whatever the keyboard: Caps Lock, another script, AZERTY's row of digits. */

const COMMAND = /^[a-z0-9/?]$/;
const CODE = /^(?:Key([A-Z])|Digit([0-9]))$/;

/**
 * The key as these screens name it: a letter in lower case, a digit from 0 to 9, or the event's own
 * name ("ArrowLeft"). A letter or digit of another script is taken by its meaning, and else by its
 * place on the keyboard.
 */
export function meantKey({ key, code, shiftKey }: Pick<KeyboardEvent, "key" | "code" | "shiftKey">): string {
  const one = [...key].length === 1;
  if (one) {
    const plain = digit(key) ?? narrow(key).toLowerCase();
    if (COMMAND.test(plain)) return plain;
  }
  // "Process" and "Dead" are what an input method, or a key for accents, makes of a key.
  if (!one && key !== "Process" && key !== "Dead" && key !== "Unidentified") return key;
  const [, letter, number] = CODE.exec(code) ?? [];
  // Shifted, a row of digits has its signs: those mean no digit.
  if (number !== undefined) return shiftKey ? key : number;
  // A sign of a Latin keyboard, as of Dvorak, is no letter either.
  return letter === undefined || /^[\x20-\x7e]$/.test(key) ? key : letter.toLowerCase();
}

/** Full-width signs as the plain ones they stand for. */
function narrow(key: string): string {
  return /^[\uff01-\uff5e]$/.test(key) ? key.normalize("NFKC") : key;
}

/** The value of a decimal digit of any script: they stand in rows of ten. */
function digit(key: string): string | null {
  const at = key.codePointAt(0) ?? 0;
  if (!/^\p{Nd}$/u.test(key)) return null;
  let zero = at;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String((at - zero) % 10);
}
