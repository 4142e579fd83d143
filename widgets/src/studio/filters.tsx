/** Search and filters above the grid. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { useStore } from "./use_store";
import { number } from "../parts/format";
import { ICONS, Icon } from "../parts/marks";
import { NO_FILTER } from "./view";
import type { Filter } from "./view";

export function Filters() {
  const store = useStore();
  const search = useRef<HTMLInputElement>(null);
  const { filter, dense } = store.view;
  const head = store.trait("head");
  const { targets } = store.trait("effects");
  useLayoutEffect(() => {
    store.focus.search = () => {
      search.current?.focus();
      search.current?.select();
    };
  }, [store]);
  const changed = (Object.keys(NO_FILTER) as (keyof Filter)[]).some((key) => filter[key] !== NO_FILTER[key]);
  const total = store.count;
  const shown = store.shown().length;
  return (
    <div class="cz-filters" role="search">
      <label class="cz-search">
        <Icon path={ICONS.search} />
        <input
          ref={search}
          class="cz-input"
          type="text"
          placeholder="words, concept or unit"
          aria-label="Search units"
          value={filter.text}
          onInput={(event) => store.filter({ text: (event.target as HTMLInputElement).value })}
          onKeyDown={(event) => {
            if (event.key === "Enter" || event.key === "ArrowDown") {
              event.preventDefault();
              store.focusOn("grid");
            }
          }}
        />
        <kbd>/</kbd>
      </label>
      <span class="cz-count" data-cz="count">
        {shown === total ? number(total) : `${number(shown)} of ${number(total)}`}
      </span>
      <button
        type="button"
        class="cz-button cz-quiet"
        aria-pressed={dense}
        title="Nine exemplars a unit instead of four"
        aria-label="Nine exemplars a unit"
        onClick={() => store.set({ dense: !dense })}
      >
        <Icon path={ICONS.dense} />
      </button>
      <div class="cz-selects">
        {head.layers.length > 1 && (
          <Choice
            label="layer"
            value={filter.layer}
            options={[["", "layers"], ...head.layers.map(({ name }) => [name, name] as [string, string])]}
            choose={(layer) => store.filter({ layer })}
          />
        )}
        {targets.length > 0 && (
          <Choice
            label="class driven"
            value={filter.target}
            options={[["", "classes"], ...targets.map((t) => [t, `drives ${t}`] as [string, string])]}
            choose={(target) => store.filter({ target })}
          />
        )}
        <Choice
          label="words"
          value={filter.words}
          options={[
            ["any", "words"],
            ["annotated", "annotated"],
            ["proposed", "proposed by rule"],
            ["unannotated", "no words yet"],
          ]}
          choose={(words) => store.filter({ words: words as Filter["words"] })}
        />
        <Choice
          label="findings"
          value={filter.finding}
          options={[
            ["any", "findings"],
            ["flagged", "flagged"],
            ["inconclusive", "inconclusive"],
            ["some", "with a finding"],
          ]}
          choose={(finding) => store.filter({ finding: finding as Filter["finding"] })}
        />
        {changed && (
          <button type="button" class="cz-link" onClick={() => store.clear()}>
            clear
          </button>
        )}
      </div>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: [string, string][];
  choose: (value: string) => void;
}

function Choice({ label, value, options, choose }: ChoiceProps) {
  return (
    <select
      class="cz-select"
      aria-label={label}
      value={value}
      data-set={value !== options[0]?.[0]}
      onChange={(event) => choose((event.target as HTMLSelectElement).value)}
    >
      {options.map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  );
}
