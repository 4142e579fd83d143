/** Text as it is looked for: without case, accents, or the ways one letter can be written. */

/** Accents; vowels of other scripts are marks, too, and are letters to who reads them. */
const MARKS = /[\u0300-\u036f]|[\u1ab0-\u1aff]|[\u1dc0-\u1dff]|\p{Cf}/gu;
/** Letters that no normal form takes apart. */
const LETTERS: Record<string, string> = {
  ß: "ss", æ: "ae", œ: "oe", ø: "o", ð: "d", đ: "d", ħ: "h", ł: "l", ŧ: "t", þ: "th", ı: "i", ς: "σ",
};

export function fold(text: string): string {
  // Most names are plain, and there may be a hundred thousand.
  if (/^[\x21-\x7e]*$/.test(text)) return text.toLowerCase();
  const plain = text.normalize("NFKD").toLowerCase().normalize("NFKD").replace(MARKS, "");
  return plain.replace(/[ßæœøðđħłŧþıς]/g, (letter) => LETTERS[letter] ?? letter).replace(/\s+/g, " ").trim();
}
