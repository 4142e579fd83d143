/** Kernels that ask which of two cards is more plausible, and what is to be seen. */

import type { PairCue, Question } from "../../src/labelling/labelling_payload";
import { FakeKernel } from "./fake_labelling";

function cue(words: string, change: Partial<PairCue> = {}): PairCue {
  return { words, for: true, grade: "strong", long: 0.5, percent: 30, interval: [25, 35], differs: false, fails: [], tested: [], ...change };
}

function pair(plain: Question): Question {
  const same = { cues: [cue("short legs")], remarks: ["not explained: 10 % [5, 15]"] };
  return {
    ...plain, type: "", seen: [], heat: [0, 0],
    pair: {
      agreement: [[], []],
      classes: [
        { name: "husky", differs: true, sides: [{ cues: [cue("snow", { differs: true, fails: ["D′"] })], remarks: [] }, { cues: [cue("pointed ears", { differs: true })], remarks: [] }] },
        { name: "corgi", differs: false, sides: [same, same] },
      ],
    },
  };
}

/** Pairs that differ on huskies, and are alike on corgis. */
export const compare = () => new FakeKernel(["q1", "q2", "q3"], "mira", { screen: "compare", card: [] }, pair, ["a", "b", "equal", "both implausible"]);

/** Pictures to say words of. */
export const words = () => new FakeKernel(["q1", "q2"], "mira", { screen: "hypothesis", card: [] }, (q) => ({ ...q, seen: [], asks: "What does husky look like?" }), ["snow", "curled tail"]);
