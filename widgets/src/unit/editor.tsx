/** Writing what a unit means. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../studio/use_store";
import { when } from "../parts/format";
import { ICONS, Icon } from "../parts/marks";
import { ActionError } from "../link/link";

interface Chip {
  name: string;
  kind: string;
  verdict: string;
  why: string;
}

const PARSE_MS = 120;
const MOST_SUGGESTIONS = 6;

export function Editor({ unit }: { unit: string }) {
  const store = useStore();
  const field = useRef<HTMLInputElement>(null);
  const word = store.word(store.row(unit));
  const written = { text: word?.text ?? "", confidence: word?.confidence ?? 1 };
  const draft = store.drafts.get(unit);
  const { text, confidence } = draft ?? written;
  const chips = useChips(text);
  const lost = store.view.link === "lost";
  // A rule's proposal becomes a person's words by being saved as it stands.
  const changed = draft !== undefined && (text !== written.text || confidence !== written.confidence);
  const adoptable = word !== undefined && word.kind !== "person";

  useLayoutEffect(() => {
    store.focus.editor = () => {
      field.current?.focus();
      field.current?.select();
      field.current?.scrollIntoView({ block: "nearest" });
    };
    return () => delete store.focus.editor;
  }, [store]);

  const write = (change: Partial<typeof written>) => store.draft(unit, { text, confidence, ...change });
  const save = async () => {
    if (lost || store.view.busy || !(changed || adoptable)) return;
    if (await store.annotate(unit, text.trim(), confidence)) {
      store.draft(unit, null);
      if (document.activeElement === field.current) store.focusOn("grid");
    }
  };
  const drop = () => store.draft(unit, null);

  return (
    <form
      class="cz-editor"
      aria-label={`Words for ${unit}`}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Conflicted unit={unit} drop={drop} />
      <div class="cz-editor-row">
        <input
          ref={field}
          class="cz-input cz-editor-text"
          type="text"
          aria-label="What does this unit mean?"
          placeholder="what do the exemplars share?"
          maxLength={400}
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => write({ text: (event.target as HTMLInputElement).value })}
        />
        <button type="submit" class="cz-button cz-primary" data-once disabled={lost || store.view.busy || !(changed || adoptable)}>
          {changed || !adoptable ? "Save" : "Adopt"} <kbd>↵</kbd>
        </button>
        <button type="button" class="cz-button" title="Undo the last edit (u)" aria-label="Undo" disabled={lost} onClick={() => void store.undo()}>
          <Icon path={ICONS.undo} />
        </button>
        <button type="button" class="cz-button" title="Redo (r)" aria-label="Redo" disabled={lost} onClick={() => void store.redo()}>
          <Icon path={ICONS.redo} />
        </button>
      </div>
      <div class="cz-editor-row cz-editor-low">
        <div class="cz-chips" aria-live="polite" aria-label="Concepts recognised">
          {chips.map((chip) => (
            <span key={chip.name} class={`cz-chip cz-${chip.verdict}`} title={chip.why}>
              {chip.name} <small>{chip.kind}</small>
            </span>
          ))}
          {text.trim() !== "" && chips.length === 0 && (
            <span class="cz-faint" title="words without a known concept are kept, but cannot be checked">no known concept</span>
          )}
          <Suggestions text={text} unit={unit} taken={chips.map(({ name }) => name)} use={(name) => {
            write({ text: complete(text, name) });
            field.current?.focus();
          }} />
        </div>
        <label class="cz-confidence" title="how sure you are">
          <span>sure</span>
          <input
            type="range"
            min="0"
            max="1"
            step="0.05"
            value={confidence}
            aria-valuetext={`${Math.round(confidence * 100)} %`}
            onInput={(event) => write({ confidence: Number((event.target as HTMLInputElement).value) })}
          />
          <span class="cz-number">{Math.round(confidence * 100)} %</span>
        </label>
        {changed && (
          <button type="button" class="cz-link" onClick={drop}>discard</button>
        )}
      </div>
    </form>
  );
}

/** What the check will read in these words, as they are typed. */
function useChips(text: string): Chip[] {
  const store = useStore();
  const [chips, setChips] = useState<{ text: string; found: Chip[] }>({ text: "", found: [] });
  useEffect(() => {
    if (text.trim() === "" || store.view.link === "lost") return undefined;
    let wanted = true;
    const timer = setTimeout(() => {
      store.parse(text).then(
        (found) => wanted && setChips({ text, found }),
        (error: unknown) => {
          if (!(error instanceof ActionError)) throw error;
        },
      );
    }, PARSE_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [store, text, store.view.link]);
  return text.trim() === "" ? [] : chips.found;
}

/** Replaces the word being typed by a concept's name. */
export function complete(text: string, name: string): string {
  const last = /[^\s,;]+$/.exec(text)?.[0] ?? "";
  const starts = last !== "" && name.toLowerCase().includes(last.toLowerCase());
  const kept = (starts ? text.slice(0, text.length - last.length) : text).trimEnd();
  return kept === "" ? name : `${kept} ${name}`;
}

interface SuggestionsProps {
  text: string;
  unit: string;
  taken: string[];
  use: (name: string) => void;
}

function Suggestions({ text, unit, taken, use }: SuggestionsProps) {
  const store = useStore();
  const detail = store.detail(store.row(unit));
  const last = (/[^\s,;]+$/.exec(text)?.[0] ?? "").toLowerCase();
  const known = store.trait("head").concepts;
  const names =
    text.trim() === ""
      ? (detail?.matches ?? []).slice(0, 3).map(({ concept }) => concept)
      : last.length < 2 || taken.length > 0
        ? []
        : known.map(({ name }) => name).filter((name) => name.toLowerCase().includes(last));
  const offered = names.filter((name) => !taken.includes(name)).slice(0, MOST_SUGGESTIONS);
  if (offered.length === 0) return null;
  return (
    <>
      {offered.map((name) => (
        <button key={name} type="button" class="cz-chip cz-suggestion" title="use this word" onClick={() => use(name)}>
          + {name}
        </button>
      ))}
    </>
  );
}

/** Two people changed one unit: both texts, and the choice. */
function Conflicted({ unit, drop }: { unit: string; drop: () => void }) {
  const store = useStore();
  const { conflict } = store.view;
  if (!conflict || conflict.unit !== unit) return null;
  const { mine, theirs } = conflict;
  return (
    <div class="cz-conflict" role="alertdialog" aria-label="Somebody else changed these words">
      <p>
        <b>{theirs.author || "Somebody"}</b> changed these words {when(theirs.time)}, after this screen showed them.
      </p>
      <div class="cz-editor-row">
        <button
          type="button"
          data-once
          class="cz-button"
          onClick={() => {
            drop();
            store.settle(false);
          }}
        >
          Keep theirs: “{theirs.text || "no words"}”
        </button>
        <button
          type="button"
          data-once
          class="cz-button cz-primary"
          onClick={() => {
            drop();
            store.settle(true);
          }}
        >
          Write mine: “{mine.text || "no words"}”
        </button>
      </div>
    </div>
  );
}
