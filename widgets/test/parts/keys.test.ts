import { expect, it } from "vitest";
import { meantKey } from "../../src/parts/keys";

const meant = (key: string, code = "", shiftKey = false) => meantKey({ key, code, shiftKey });

it.each([
  ["u", "KeyU", "u"], ["U", "KeyU", "u"], ["\u0433", "KeyU", "u"], ["\uff35", "KeyU", "u"], ["\u3137", "KeyE", "e"],
  ["Process", "KeyU", "u"], ["q", "KeyA", "q"], ["'", "KeyQ", "'"],
])("reads the letter %s of the key %s as %s", (key, code, wanted) => {
  expect(meant(key, code)).toBe(wanted);
});

it.each([
  ["1", "Digit1", false, "1"], ["&", "Digit1", false, "1"], ["1", "Digit1", true, "1"], ["!", "Digit1", true, "!"],
  ["\u06f7", "Digit7", false, "7"], ["\u0967", "", false, "1"], ["\uff10", "Digit0", false, "0"], ["\u{1d7d9}", "", false, "1"],
  ["/", "Digit7", true, "/"], ["\u00b2", "Backquote", false, "\u00b2"],
])("reads the digit %s of the key %s, shifted %s, as %s", (key, code, shift, wanted) => {
  expect(meant(key, code, shift)).toBe(wanted);
});

it("leaves names of keys alone", () => {
  for (const key of ["ArrowLeft", "Enter", "F1", "Backspace", " "]) expect(meant(key, "KeyQ")).toBe(key === " " ? " " : key);
});
