/** The card: what speaks for each class and against it, with examples. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { decode, prepare } from "../pictures/sprite_sheets";
import { useLabelling } from "./use_labelling";
import type { ClassCard, Cue, Sprite } from "./labelling_payload";
import { MOST_KEYS } from "./answer_keys";

const TILE = 30;
const LESS = "less than usual";
const STEPS = { "very strong": 4, strong: 3, some: 2, slight: 1 } as const;

export function Card() {
  const store = useLabelling();
  const { card, sprite, subject } = store.pack;
  const sheet = useSheet(sprite);
  const asked = store.question(store.view.current)?.question;
  // What the question says of a sign, by its words.
  const active = (asked?.activity ?? []).filter(({ step }) => step !== 0);
  const seen = new Map([
    ...(asked?.seen ?? []).map(({ words }): [string, string] => [words, "seen here"]),
    ...active.map(({ words, step }): [string, string] => [words, step > 0 ? "more than usual" : LESS]),
  ]);
  const byName = new Map(card.map((entry) => [entry.name, entry]));
  // In the order of the buttons, so that a class has one place on the screen.
  const entries = store.options.map((name) => byName.get(name)).filter((entry) => entry !== undefined);
  const filtered = entries.filter(({ name }) => store.offered.includes(name));
  const same = untestedThroughout(card);
  return (
    <section class="cz-guide-card" aria-label="The card" data-cz="card" tabIndex={0}>
      <h3>How to tell the {subject === "" ? "classes" : `kinds of ${subject}`} apart</h3>
      {same !== "" && <p class="cz-doubt-all" data-cz="untested"><b aria-hidden="true">○</b> These words were {same}.</p>}
      {filtered.map((entry) => (
        <Entry key={entry.name} entry={entry} number={store.offered.indexOf(entry.name)} seen={seen} sheet={sheet} sprite={sprite} quiet={same} />
      ))}
    </section>
  );
}

interface EntryProps {
  entry: ClassCard;
  number: number;
  seen: Map<string, string>;
  sheet: ImageBitmap | null;
  sprite: Sprite;
  /** What is said once for all cues. */
  quiet: string;
}

/** What was not tested of any word is said once; the empty text where words differ. */
function untestedThroughout(card: ClassCard[]): string {
  const all = card.flatMap(({ cues }) => cues.map(({ doubts }) => doubts?.map(({ text }) => text).join() ?? ""));
  const first = card.flatMap(({ cues }) => cues)[0]?.doubts?.[0];
  return first?.verdict === "untested" && all.every((text) => text === first.text) ? first.text : "";
}

function Entry({ entry, number, seen, sheet, sprite, quiet }: EntryProps) {
  const sides = [true, false].map((side) => entry.cues.filter((cue) => cue.for === side));
  return (
    <article class="cz-entry">
      <h4>
        {number >= 0 && number < MOST_KEYS && <kbd>{number + 1}</kbd>}
        <span class="cz-entry-name">{entry.name}</span>
        <span class="cz-space" />
        <span class="cz-faint" title="share of this class that the words do not account for">{unexplained(entry)}</span>
      </h4>
      {entry.cues.length === 0 && <p class="cz-faint">Nothing is known about it yet.</p>}
      {sides.map((cues, i) =>
        cues.length === 0 ? null : (
          <ul key={i} class="cz-cues" aria-label={i === 0 ? `speaks for ${entry.name}` : `speaks against ${entry.name}`}>
            <li class="cz-side" aria-hidden="true">{i === 0 ? "for" : "against"}</li>
            {cues.map((cue, at) => (
              <CueItem key={`${cue.words} ${at}`} cue={cue} here={seen.get(cue.words) ?? ""} sheet={sheet} sprite={sprite} quiet={quiet} />
            ))}
          </ul>
        ),
      )}
    </article>
  );
}

interface CueProps {
  cue: Cue;
  /** What the question says of the sign; empty where nothing. */
  here: string;
  sheet: ImageBitmap | null;
  sprite: Sprite;
  quiet: string;
}

function CueItem({ cue, here, sheet, sprite, quiet }: CueProps) {
  const doubts = (cue.doubts ?? []).filter(({ text }) => text !== quiet);
  // What counts most is shown most of.
  const shown = cue.exemplars.slice(0, Math.max(0, STEPS[cue.grade] - 1)).slice(0, 2);
  const units = cue.units.length === 1 ? "1 unit" : `${cue.units.length} units`;
  return (
    <li class="cz-cue" data-here={here !== "" && here !== LESS} data-for={cue.for} title={`${cue.words}: ${cue.grade}; ${units}: ${cue.units.join(", ")}`}>
      {shown.length > 0 && <Example places={shown} sheet={sheet} sprite={sprite} />}
      <span class="cz-cue-text">
        <span class="cz-cue-words">{cue.words}</span>
        <span class="cz-cue-grade">
          <span class="cz-steps" aria-hidden="true">
            {[1, 2, 3, 4].map((step) => <i key={step} data-on={step <= STEPS[cue.grade]} />)}
          </span>
          {cue.grade}
          {here !== "" && <b class={here === LESS ? "cz-here cz-less" : "cz-here"}> · {here}</b>}
        </span>
        {doubts.map(({ verdict, text }) => (
          <span key={text} class="cz-doubt" data-verdict={verdict}><b aria-hidden="true">{verdict === "fails" ? "✕" : "○"}</b> {text}</span>
        ))}
      </span>
    </li>
  );
}

/** Exemplars of a cue side by side. */
function Example({ places, sheet, sprite }: { places: number[]; sheet: ImageBitmap | null; sprite: Sprite }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || !sheet) return;
    const context = prepare(element, TILE * places.length, TILE);
    places.forEach((place, i) => {
      const [left, top] = [(place % sprite.columns) * sprite.tile, Math.floor(place / sprite.columns) * sprite.tile];
      context?.drawImage(sheet, left, top, sprite.tile, sprite.tile, i * TILE, 0, TILE, TILE);
    });
  }, [sheet, sprite, places.join()]);
  return <canvas ref={canvas} class="cz-example" style={{ width: `${TILE * places.length}px` }} role="img" aria-label="examples" />;
}

function useSheet(sprite: Sprite): ImageBitmap | null {
  const [sheet, setSheet] = useState<ImageBitmap | null>(null);
  useEffect(() => {
    let wanted = true;
    if (sprite.data && sprite.count > 0) {
      void decode(sprite.data, "image/webp").then((bitmap) => {
        if (wanted) setSheet(bitmap);
      });
    }
    return () => {
      wanted = false;
    };
  }, [sprite]);
  return sheet;
}

function unexplained(entry: ClassCard): string {
  if (!entry.unexplained) return "";
  const [estimate, low, high] = entry.unexplained.map((v) => Math.round(100 * v));
  return `not explained: ${estimate} % [${low}, ${high}]`.replaceAll("-", "−");
}
