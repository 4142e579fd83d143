/** Two cards side by side: which is more plausible, and what is wrong with the other? */

import { useEffect, useRef, useState } from "preact/hooks";
import { plural } from "../parts/format";
import { ICONS, Icon } from "../parts/marks";
import { reasonKey, toggled } from "./judging";
import type { Reason, Side } from "./judging";
import type { PairClass, PairCue, PairSide } from "./labelling_payload";
import { useShownPart } from "./shown_part";
import { useLabelling } from "./use_labelling";

const SIDES: Side[] = ["a", "b"];
/** Signs of a class that are shown at once; where only some differ, those always are. */
const SHOWN = 6;

export function Compare() {
  const store = useLabelling();
  const held = store.question(store.view.current);
  const id = held?.question.id ?? "";
  const pane = useRef<HTMLDivElement>(null);
  useShownPart(pane, id);
  const [all, setAll] = useState(false);
  useEffect(() => setAll(false), [id]);
  const pair = held?.question.pair;
  if (!pair) return null;
  const differing = pair.classes.filter((entry) => entry.differs);
  const same = pair.classes.filter((entry) => !entry.differs);
  // A reason that was pointed at is never out of sight.
  const pointed = new Set((store.draft.reasons ?? []).map((reason) => reason.class));
  const shown = same.filter((entry) => all || pointed.has(entry.name));
  return (
    <div ref={pane} class="cz-compare" data-cz="pair" data-question={id} role="group" aria-label="The two descriptions" tabIndex={0}>
      <div class="cz-pair-head">
        <b>A</b><b>B</b>
      </div>
      {pair.agreement.some((remarks) => remarks.length > 0) && (
        <div class="cz-pair-sides cz-faint">
          {pair.agreement.map((remarks, i) => <p key={i}>{remarks.join("; ")}</p>)}
        </div>
      )}
      {differing.map((entry) => <ClassOfPair key={entry.name} entry={entry} />)}
      {same.length > 0 && (
        <button type="button" class="cz-button cz-quiet" aria-expanded={all} data-cz="alike" onClick={() => setAll(!all)}>
          {all ? "Hide" : "Show"} {plural(same.length, "class that is", "classes that are")} the same on both
        </button>
      )}
      {shown.map((entry) => <ClassOfPair key={entry.name} entry={entry} />)}
    </div>
  );
}

/** Why, beside the answers: what was pointed at, and room for a few words. */
export function Why() {
  const store = useLabelling();
  const reasons = store.draft.reasons ?? [];
  return (
    <div class="cz-why">
      {reasons.length > 0 && (
        <ul class="cz-why-reasons" aria-label="Your reasons" data-cz="reasons">
          {reasons.map((reason) => (
            <li key={reasonKey(reason)}>
              <button
                type="button"
                class="cz-button"
                title="Take this reason back"
                onClick={() => store.setDraft({ reasons: toggled(reasons, reason, reasonKey) })}
              >
                <b>{reason.side.toUpperCase()}</b> {reason.class}: {reason.part === "arrow" ? "how much" : "the words"} <span dir="auto">{reason.words}</span> <Icon path={ICONS.close} size={12} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <label class="cz-note-field">
        <span>Why? {reasons.length > 0 ? "Add" : "Click a sign that should not count, or write"} a few words <kbd>/</kbd></span>
        <textarea
          class="cz-input"
          data-cz="note"
          data-draft="note"
          rows={1}
          maxLength={2000}
          dir="auto"
          value={store.draft.note ?? ""}
          onInput={(event) => store.setDraft({ note: event.currentTarget.value })}
        />
      </label>
    </div>
  );
}

function ClassOfPair({ entry }: { entry: PairClass }) {
  return (
    <section class="cz-pair-class" data-differs={entry.differs} aria-label={entry.name}>
      <h3>
        <span class="cz-entry-name">{entry.name}</span>
        {entry.differs && <span class="cz-differs">differs</span>}
      </h3>
      <div class="cz-pair-sides">
        {entry.sides.map((side, i) => <SideOfClass key={i} name={entry.name} side={SIDES[i] ?? "a"} shown={side} />)}
      </div>
    </section>
  );
}

function SideOfClass({ name, side, shown }: { name: string; side: Side; shown: PairSide | null }) {
  const store = useLabelling();
  const [all, setAll] = useState(false);
  const cues = shown?.cues ?? [];
  const pointed = new Set((store.draft.reasons ?? []).filter((one) => one.side === side && one.class === name).map((one) => one.words));
  // Where every sign differs, the heading says so once.
  const throughout = cues.length > 1 && cues.every((cue) => cue.differs);
  const some = all ? cues : cues.filter((cue, i) => i < SHOWN || (cue.differs && !throughout) || pointed.has(cue.words));
  return (
    <div class="cz-pair-side" data-side={side} role="group" aria-label={`${side.toUpperCase()}: ${name}`}>
      <span class="cz-side-letter" aria-hidden="true">{side.toUpperCase()}</span>
      {shown === null && <p class="cz-faint">It does not know this class.</p>}
      {shown !== null && cues.length === 0 && <p class="cz-faint">Nothing is said of it.</p>}
      <ul>
        {some.map((cue, i) => <SignOfPair key={i} name={name} side={side} cue={cue} said={cue.differs && !throughout} />)}
      </ul>
      {some.length < cues.length && (
        <button type="button" class="cz-button cz-quiet" onClick={() => setAll(true)}>Show {cues.length - some.length} more</button>
      )}
      {shown !== null && shown.remarks.length > 0 && <p class="cz-faint cz-pair-remarks">{shown.remarks.join("; ")}</p>}
    </div>
  );
}

/** One sign: its arrow and its words can both be pointed at. */
function SignOfPair({ name, side, cue, said }: { name: string; side: Side; cue: PairCue; said: boolean }) {
  const store = useLabelling();
  const marked = new Set((store.draft.reasons ?? []).map(reasonKey));
  const reason = (part: Reason["part"]): Reason => ({ side, class: name, words: cue.words, part });
  const point = (part: Reason["part"]) => () => {
    store.setDraft({ reasons: toggled(store.draft.reasons ?? [], reason(part), reasonKey) });
  };
  const on = { arrow: marked.has(reasonKey(reason("arrow"))), words: marked.has(reasonKey(reason("words"))) };
  const direction = cue.for ? "for" : "against";
  const error = cue.interval ? ` [${cue.interval.join(", ")}]` : "";
  const figure = `${cue.percent}\u00a0%${error}`.replaceAll("-", "−");
  return (
    <li class="cz-pair-cue" data-differs={cue.differs} data-marked={on.arrow || on.words}>
      <button
        type="button"
        class="cz-pair-words"
        data-draft={reasonKey(reason("words"))}
        aria-pressed={on.words}
        aria-label={`Reason: the words ${cue.words}, for ${name}`}
        title={[...cue.tested, "Click them if they should not count."].join(" · ")}
        onClick={point("words")}
      >
        <span dir="auto">{cue.words}</span>
      </button>
      <button
        type="button"
        class="cz-arrow"
        data-draft={reasonKey(reason("arrow"))}
        aria-pressed={on.arrow}
        aria-label={`Reason: ${cue.words} on ${name} counts ${direction}, ${cue.grade}, ${figure}`}
        title={`${cue.words} speaks ${direction} ${name}: ${cue.grade}, ${figure}. Click it if it should not.`}
        onClick={point("arrow")}
      >
        <span class="cz-arrow-track" aria-hidden="true">
          <span class="cz-arrow-fill" data-for={cue.for} style={{ width: `${Math.max(2, 50 * cue.long)}%` }} />
        </span>
        <span class="cz-arrow-text" aria-hidden="true">{direction}, {cue.grade}, {figure}</span>
      </button>
      {(cue.fails.length > 0 || said || on.arrow || on.words) && (
        <span class="cz-pair-marks">
          {said && <span class="cz-differs">differs</span>}
          {cue.fails.length > 0 && <span class="cz-fails">words fail on {cue.fails.join(", ")}</span>}
          {(on.arrow || on.words) && <span class="cz-reason">your reason</span>}
        </span>
      )}
    </li>
  );
}
