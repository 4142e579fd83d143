import { expect, it } from "vitest";
import { fold } from "../../src/parts/fold";

it.each([
  ["Ba\u0308r", "b\u00c4R"], ["stra\u00dfe", "STRASSE"], ["\u0141ajka", "lajka"], ["\u00c6r\u00f8", "aero"], ["\uff23orgi", "corgi"],
  ["\u039f\u03b4\u03cc\u03c2", "\u03bf\u03b4\u03bf\u03c3"], ["\u0401\u0436", "\u0435\u0436"], ["co\u00adrgi", "corgi"], ["long\u00a0 hair ", " long hair"], ["\ud55c", "\u1112\u1161\u11ab"],
])("finds %s by %s", (one, other) => {
  expect(fold(one)).toBe(fold(other));
});

it("keeps apart what differs by more than an accent", () => {
  expect(fold("\u0915\u093f")).not.toBe(fold("\u0915\u0940"));
  expect(fold("bar")).not.toBe(fold("bor"));
});
