/** What a class looks like, or a unit sees: words to choose, and room for others. */

import { useRef } from "preact/hooks";
import { ICONS, Icon } from "../parts/marks";
import { MOST_KEYS } from "./answer_keys";
import { WRITTEN, toggled } from "./judging";
import { useLabelling } from "./use_labelling";

export function Hypothesis() {
  const store = useLabelling();
  const text = useRef<HTMLInputElement>(null);
  const { current } = store.view;
  const off = current === null;
  const before = store.answer(current)?.choice;
  const { cannot } = store.pack;
  const chosen = new Set(store.draft.words ?? []);
  const press = (act: () => unknown) => (event: MouseEvent) => {
    if (!store.doubled(event.detail)) act();
  };
  return (
    <div class="cz-choices" role="group" aria-label="Your answer" data-cz="choices">
      {store.options.length > 0 && (
        <div class="cz-chips-to-choose" role="group" aria-label="Words that fit" data-cz="chips">
          {store.options.map((word, i) => (
            <button
              key={word}
              type="button"
              class="cz-word-chip"
              data-word={word}
              data-draft={`word ${word}`}
              disabled={off}
              aria-pressed={chosen.has(word)}
              onClick={() => store.setDraft({ words: toggled(store.draft.words ?? [], word, String) })}
            >
              {i < MOST_KEYS && <kbd>{i + 1}</kbd>}
              <span dir="auto">{word}</span>
              {chosen.has(word) && <Icon path={ICONS.check} size={12} />}
            </button>
          ))}
        </div>
      )}
      <label class="cz-note-field">
        <span>In your own words; several with a semicolon between them <kbd>/</kbd></span>
        <input
          ref={text}
          class="cz-input"
          data-cz="written"
          data-draft="text"
          type="text"
          maxLength={2000}
          dir="auto"
          autocomplete="off"
          disabled={off}
          value={store.draft.text ?? ""}
          onInput={(event) => store.setDraft({ text: event.currentTarget.value })}
        />
      </label>
      <div class="cz-others">
        <button type="button" class="cz-button cz-primary" data-choice={WRITTEN} disabled={off} onClick={press(() => store.choose(WRITTEN))}>
          Say it <kbd>Enter</kbd>
        </button>
        <button type="button" class="cz-button" data-choice={cannot} disabled={off} aria-pressed={before === cannot} onClick={press(() => store.choose(cannot))}>
          <kbd>0</kbd> Cannot tell{before === cannot && <small> · your answer</small>}
        </button>
        <button type="button" class="cz-button" disabled={off || store.editing} onClick={press(() => store.later())}><kbd>l</kbd> Later</button>
        <span class="cz-space" />
        <button type="button" class="cz-button cz-quiet" disabled={store.given.length === 0} onClick={press(() => store.undo())}>
          <Icon path={ICONS.undo} /> Undo <kbd>Backspace</kbd>
        </button>
      </div>
    </div>
  );
}
