import { expect, it } from "vitest";
import { wordsOf } from "../../src/unit/word_verdicts";
import type { TestedWord } from "../../src/studio/studio_payload";

const word = (target: string, units: string[], concept: string): TestedWord => ({ target, units, concept, matches: [] });

it("shows a unit's own words, and those of its group where it has none", () => {
  const words = [
    word("conv4:1", ["conv4:1"], "snow"),
    word("group:a", ["conv4:1", "conv4:2"], "ground"),
    word("conv4:3", ["conv4:3"], "ears"),
  ];
  expect(wordsOf(words, "conv4:1").map(({ concept }) => concept)).toEqual(["snow"]);
  expect(wordsOf(words, "conv4:2").map(({ concept }) => concept)).toEqual(["ground"]);
  expect(wordsOf(words, "conv4:9")).toEqual([]);
});
