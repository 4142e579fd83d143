/** The images a unit answers most to, where it answers, and what it was optimised to. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { WHOLE, decode, prepare } from "./atlas";
import type { Sheets } from "./atlas";
import { useStore } from "./context";
import { plain } from "./format";
import type { Detail } from "./protocol";

const SHOWN = 9;

export function Exemplars({ sheets }: { sheets: Sheets }) {
  const store = useStore();
  const detail = store.detail();
  const strip = useStrip(detail, "images");
  const visual = useStrip(detail, "visual");
  const { heat, crop } = store.view;
  const count = detail ? detail.exemplars.length : SHOWN;
  return (
    <div class="cz-part">
      <h4 title="inputs on which the unit is most active, best first">
        Exemplars
        <span class="cz-space" />
        <Toggle on={heat} name="response" hint="dims what the unit does not respond to (h)" flip={() => store.set({ heat: !heat })} />
        <Toggle on={crop} name="field" hint="frames what the unit sees at its peak (c)" flip={() => store.set({ crop: !crop })} />
      </h4>
      {count === 0 && <p class="cz-faint">No exemplars: measure z first.</p>}
      <div class="cz-exemplars" role="list">
        {Array.from({ length: count }, (_, i) => (
          <Exemplar key={i} i={i} sheets={sheets} strip={strip} detail={detail} />
        ))}
        {visual && <Visual bitmap={visual} />}
      </div>
    </div>
  );
}

function Toggle({ on, name, hint, flip }: { on: boolean; name: string; hint: string; flip: () => void }) {
  return (
    <button type="button" class="cz-toggle" aria-pressed={on} title={hint} onClick={flip}>
      {name}
    </button>
  );
}

/** Decodes one strip of pictures of the detail; null until it is there. */
function useStrip(detail: Detail | undefined, name: string): ImageBitmap | null {
  const [known, setKnown] = useState<{ bytes: DataView; bitmap: ImageBitmap | null } | null>(null);
  const bytes = detail?.blobs[name];
  useEffect(() => {
    if (!bytes) return undefined;
    let wanted = true;
    void decode(bytes).then((bitmap) => {
      if (wanted) setKnown({ bytes, bitmap });
    });
    return () => {
      wanted = false;
    };
  }, [bytes]);
  return known && known.bytes === bytes ? known.bitmap : null;
}

interface ExemplarProps {
  i: number;
  sheets: Sheets;
  strip: ImageBitmap | null;
  detail: Detail | undefined;
}

function Exemplar({ i, sheets, strip, detail }: ExemplarProps) {
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
    <div class="cz-exemplar" role="listitem" title={words}>
      <canvas ref={canvas} role="img" aria-label={words} />
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
