/** Where the unit's words hold: on the concept set by labels, on D and D′ by what people see. */

import { VerdictMark } from "../parts/marks";
import { Part } from "../parts/panels";
import { useStore } from "../studio/use_store";
import type { TestedWord, WordVerdict } from "../studio/studio_payload";

const MARKS = { holds: "supported", fails: "flagged", untested: "inconclusive" } as const;

export function WordVerdicts() {
  const store = useStore();
  const words = wordsOf(store.trait("report").words, store.id(store.view.unit));
  if (words.length === 0) return null;
  return (
    <Part title="Where its words hold" hint="by labels on the concept set, and by what people see on D and D′">
      <ul class="cz-word-verdicts" data-cz="word-verdicts">
        {words.map(({ target, concept, units, matches }) => (
          <li key={`${target} ${concept}`}>
            <b class="cz-word-concept">{concept}</b>
            {units.length > 1 && <span class="cz-faint"> of {units.length} units together</span>}
            <ul>
              {matches.map((match) => (
                <li key={match.population} class="cz-word-match" data-verdict={match.verdict}>
                  <VerdictMark verdict={MARKS[match.verdict]} /> <span>{match.text}{figures(match)}</span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** The unit's own words; those of a group it is in where it has none. */
export function wordsOf(words: TestedWord[], unit: string): TestedWord[] {
  const own = words.filter(({ target }) => target === unit);
  return own.length > 0 ? own : words.filter(({ units }) => units.includes(unit));
}

/** On the concept set a match, elsewhere the share of answers that are as the units say. */
function figures({ estimate, low, high }: WordVerdict): string {
  if (estimate === null) return "";
  const round = (value: number) => value.toFixed(2).replace(/^(-?)0/, "$1").replace("-", "−");
  return low === null || high === null ? `: ${round(estimate)}` : `: ${round(estimate)} [${round(low)}, ${round(high)}]`;
}
