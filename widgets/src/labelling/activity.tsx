/** An input whose picture is not shown: how active each sign of the card is, and where. */

import { useRef } from "preact/hooks";
import type { SignActivity } from "./labelling_payload";
import { useShownPart } from "./shown_part";
import { useLabelling } from "./use_labelling";

const STEPS = [1, 2, 3, 4, 5];
const MOST = 9;

export function Activity() {
  const store = useLabelling();
  const held = store.question(store.view.current);
  const id = held?.question.id ?? "";
  const pane = useRef<HTMLDivElement>(null);
  useShownPart(pane, id);
  if (!held) return null;
  const signs = held.question.activity ?? [];
  const groups: [string, SignActivity[]][] = [
    ["More than usual", signs.filter(({ step }) => step > 0)],
    ["Less than usual", signs.filter(({ step }) => step < 0).reverse()],
    ["As usual", signs.filter(({ step }) => step === 0)],
  ];
  return (
    <div ref={pane} class="cz-activity" data-cz="activity" data-question={id} role="group" aria-label="Signs in the picture that is not shown" tabIndex={0}>
      <h3>The picture is not shown. This is what the model sees in it.</h3>
      {signs.length === 0 && <p class="cz-faint">None of the signs on the card.</p>}
      {groups.map(([title, some]) => some.length > 0 && (
        <section key={title} aria-label={title}>
          <h4>{title}</h4>
          <ul>
            {some.map((sign) => <SignRow key={`${sign.words} ${sign.units.join()}`} sign={sign} />)}
          </ul>
        </section>
      ))}
    </div>
  );
}

function SignRow({ sign }: { sign: SignActivity }) {
  const { words, step, grade, place, placeName } = sign;
  return (
    <li class="cz-activity-row" data-step={step}>
      <span class="cz-activity-words" dir="auto">{words}</span>
      <span class="cz-activity-bar" aria-hidden="true">
        {[...STEPS].reverse().map((n) => <i key={-n} data-on={-n >= step && step < 0} />)}
        <b />
        {STEPS.map((n) => <i key={n} data-on={n <= step} />)}
      </span>
      <span class="cz-activity-grade">{grade}</span>
      <span class="cz-activity-place">
        {place.length > 0 && <PlaceMap place={place} />}
        {placeName}
      </span>
    </li>
  );
}

/** A small map, dark where the sign is. */
function PlaceMap({ place }: { place: string[] }) {
  const width = Math.max(...place.map((row) => row.length));
  return (
    <svg class="cz-place" viewBox={`0 0 ${width} ${place.length}`} preserveAspectRatio="none" aria-hidden="true">
      {place.flatMap((row, y) =>
        [...row].map((digit, x) => (
          <rect key={`${x} ${y}`} x={x} y={y} width={1.02} height={1.02} fill="currentColor" fill-opacity={Number(digit) / MOST} />
        )),
      )}
    </svg>
  );
}
