/** The images a unit answers most to, where it answers, and what it was optimised to. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { WHOLE, prepare } from "./sprite_sheets";
import type { Sheets } from "./sprite_sheets";
import { useBitmap } from "./bitmap";
import { Closer } from "../unit/attribution_view";
import { useStore } from "../studio/use_store";
import { Contexts } from "./token_contexts";
import { plain } from "../parts/format";
import type { Detail } from "../studio/studio_payload";
import { LOOKS, ResponseRows } from "../unit/unit_responses";
import type { Look } from "../unit/unit_responses";

const SHOWN = 9;

interface Props {
  sheets: Sheets;
  /** Which context of a token sequence is looked into. */
  rank: number;
  onRank: (rank: number) => void;
}

export function Exemplars({ sheets, rank, onRank }: Props) {
  const store = useStore();
  const detail = store.detail();
  const strip = useBitmap(detail?.blobs.images);
  const visual = useBitmap(detail?.blobs.visual);
  const { heat, crop } = store.view;
  const [wanted, setLook] = useState<Look>("activation");
  const look = detail && !detail.more ? "activation" : wanted;
  const [closer, setCloser] = useState<{ unit: string; image: number } | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const count = detail ? detail.exemplars.length : SHOWN;
  const unit = store.id(store.view.unit);
  const picked = closer?.unit === unit ? closer.image : null;
  const pick = (image: number) => setCloser(image === picked ? null : { unit, image });
  const tokens = detail?.contexts.some((context) => context !== null) ?? false;
  const focus = () => list.current?.querySelector<HTMLElement>("button.cz-pick, .cz-pick button, .cz-context");
  useLayoutEffect(() => {
    store.focus.exemplars = () => focus()?.focus();
  }, [store]);
  return (
    <div class="cz-part">
      <h4>
        {tokens ? "Contexts" : "Exemplars"}
        {detail?.more && (
          <span class="cz-looks" role="group" aria-label="Which exemplars">
            {LOOKS.map(([name, title, hint]) => (
              <Toggle key={name} on={look === name} name={title} hint={hint} flip={() => setLook(name)} />
            ))}
          </span>
        )}
        <span class="cz-space" />
        {look === "activation" && !tokens && (
          <>
            <Toggle on={heat} name="response" hint="dims what the unit does not respond to (h)" flip={() => store.set({ heat: !heat })} />
            <Toggle on={crop} name="field" hint="frames what the unit sees at its peak (c)" flip={() => store.set({ crop: !crop })} />
          </>
        )}
      </h4>
      {count === 0 && <p class="cz-faint">No exemplars: measure z first.</p>}
      <div
        ref={list}
        onKeyDown={(event) => {
          if (event.key === "Escape" && picked !== null) {
            event.preventDefault();
            event.stopPropagation();
            setCloser(null);
          } else {
            walk(event);
          }
        }}
      >
        {tokens && detail && <Contexts detail={detail} rank={rank} onPick={onRank} />}
        {!tokens && look === "activation" && (
          <div class="cz-exemplars" role="list">
            {Array.from({ length: count }, (_, i) => (
              <Exemplar key={i} i={i} sheets={sheets} strip={strip} detail={detail} picked={picked} onPick={pick} />
            ))}
            {visual && <Visual bitmap={visual} />}
          </div>
        )}
        {!tokens && look !== "activation" && <ResponseRows unit={unit} look={look} picked={picked} onPick={pick} />}
      </div>
      {picked !== null && !tokens && (
        <Closer
          unit={unit}
          image={picked}
          shows={detail?.exemplars.find((exemplar) => exemplar.image === picked)?.shows ?? []}
          onClose={() => {
            setCloser(null);
            (list.current?.querySelector<HTMLElement>('.cz-pick[aria-pressed="true"]') ?? focus())?.focus();
          }}
        />
      )}
    </div>
  );
}

/** Arrow keys go from picture to picture. */
function walk(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const root = event.currentTarget as HTMLElement;
  if (step === undefined) return;
  const all = [...root.querySelectorAll<HTMLElement>("button.cz-pick")];
  const here = all.indexOf(event.target as HTMLElement);
  const next = here < 0 ? undefined : all[here + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function Toggle({ on, name, hint, flip }: { on: boolean; name: string; hint: string; flip: () => void }) {
  return (
    <button type="button" class="cz-toggle" aria-pressed={on} title={hint} onClick={flip}>
      {name}
    </button>
  );
}

interface ExemplarProps {
  i: number;
  sheets: Sheets;
  strip: ImageBitmap | null;
  detail: Detail | undefined;
  picked: number | null;
  onPick: (image: number) => void;
}

function Exemplar({ i, sheets, strip, detail, picked, onPick }: ExemplarProps) {
  const store = useStore();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { heat, crop, unit } = store.view;
  const place = store.data.exemplars[unit * 9 + i] ?? -1;
  const exemplar = detail?.exemplars[i];
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const side = element.clientWidth || 88;
    const context = prepare(element, side, side);
    if (!context) return;
    if (strip && detail) {
      const [width, height] = detail.size;
      context.drawImage(strip, i * width, 0, width, height, 0, 0, side, side);
    } else {
      // The thumbnail is here already: shown until the full picture has come.
      sheets.draw(context, place, WHOLE, 0, 0, side);
    }
    if (heat && detail) dim(context, detail, i, side);
  }, [strip, detail, i, heat, sheets, sheets.ready, place]);
  const shows = exemplar?.shows ?? [];
  const words = `exemplar ${i + 1}${shows.length > 0 ? `: ${shows.join(", ")}` : ""}${
    exemplar?.peak === null || exemplar === undefined ? "" : `; response ${plain(exemplar.peak)}`
  }`;
  const [top, left, bottom, right] = exemplar?.box ?? [0, 0, 1, 1];
  return (
    <div class="cz-exemplar" role="listitem">
      <button
        type="button"
        class="cz-pick"
        disabled={exemplar === undefined}
        aria-pressed={exemplar !== undefined && picked === exemplar.image}
        title={`${words} · click to look closer`}
        onClick={() => exemplar && onPick(exemplar.image)}
      >
        <canvas ref={canvas} role="img" aria-label={words} />
      </button>
      {crop && exemplar && (
        <span
          class="cz-frame"
          aria-hidden="true"
          style={{
            top: `${top * 100}%`,
            left: `${left * 100}%`,
            width: `${(right - left) * 100}%`,
            height: `${(bottom - top) * 100}%`,
          }}
        />
      )}
    </div>
  );
}

function Visual({ bitmap }: { bitmap: ImageBitmap }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const side = element.clientWidth || 88;
    prepare(element, side, side)?.drawImage(bitmap, 0, 0, side, side);
  }, [bitmap]);
  const words = "feature visualisation: an input optimised to activate the unit";
  return (
    <div class="cz-exemplar cz-visual" role="listitem" title={words}>
      <canvas ref={canvas} role="img" aria-label={words} />
      <span class="cz-caption">optimised</span>
    </div>
  );
}

/** Darkens the picture where the unit is silent: readable without seeing colours. */
function dim(context: CanvasRenderingContext2D, detail: Detail, i: number, side: number): void {
  const bytes = detail.blobs.heat;
  const [height, width] = detail.heat;
  if (!bytes || height === 0 || width === 0) return;
  const values = new Uint8Array(bytes.buffer, bytes.byteOffset + i * height * width, height * width);
  const most = Math.max(1, ...values);
  const mask = document.createElement("canvas");
  mask.width = width;
  mask.height = height;
  const small = mask.getContext("2d");
  if (!small) return;
  const pixels = small.createImageData(width, height);
  values.forEach((value, at) => {
    pixels.data[at * 4 + 3] = Math.round(150 * (1 - Math.pow(value / most, 0.8)));
  });
  small.putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(mask, 0, 0, width, height, 0, 0, side, side);
}
