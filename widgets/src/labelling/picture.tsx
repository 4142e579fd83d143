/** The picture to be labelled, and where the model sees signs in it. */

import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { prepare } from "../pictures/sprite_sheets";
import { useLabelling } from "./use_labelling";
import type { Held } from "./pile";

const CLEAR = 0.85;

/** Address of a picture that lives in memory; gone with the part that shows it. */
export function usePicture(held: Held | undefined): string {
  const picture = held?.picture;
  const type = held?.question.type ?? "image/png";
  const url = useMemo(
    () => (picture ? URL.createObjectURL(new Blob([picture as DataView<ArrayBuffer>], { type })) : ""),
    [picture, type],
  );
  useEffect(() => () => {
    if (url !== "") URL.revokeObjectURL(url);
  }, [url]);
  return url;
}

export function Picture() {
  const store = useLabelling();
  const held = store.question(store.view.current);
  const url = usePicture(held);
  const { mark } = store.view;
  const shown = mark !== null && mark >= 0 ? held?.question.seen[mark] : undefined;
  if (!held) return null;
  return (
    <figure class="cz-picture" data-cz="picture" data-question={held.question.id}>
      <div class="cz-frame-square">
        <img src={url} alt={shown ? `The picture; marked: ${shown.words}` : "The picture to label"} draggable={false} />
        {shown && <Heat held={held} index={mark ?? 0} />}
      </div>
      {shown && <figcaption>marked: {shown.words}</figcaption>}
    </figure>
  );
}

/** The signs the model sees, each with a small picture of where. */
export function SeenList() {
  const store = useLabelling();
  const held = store.question(store.view.current);
  const url = usePicture(held);
  if (!held) return null;
  const { seen } = held.question;
  return (
    <div class="cz-seen" data-cz="seen">
      <h3>Signs the model sees here <kbd>m</kbd></h3>
      {seen.length === 0 && <p class="cz-faint">None of those on the card.</p>}
      <ul>
        {seen.map((sign, i) => (
          <li key={sign.words}>
            <button
              type="button"
              class="cz-sign"
              aria-pressed={store.view.mark === i}
              title={`${sign.words}: shows where on the picture`}
              onClick={() => store.mark(store.view.mark === i ? -1 : i)}
            >
              <span class="cz-sign-picture" aria-hidden="true">
                <img src={url} alt="" draggable={false} />
                <Heat held={held} index={i} />
              </span>
              <span class="cz-sign-words">{sign.words}</span>
              <span class="cz-faint">{sign.level >= CLEAR ? "clear" : "faint"}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Darkens the picture where the units are silent: readable without seeing colours. */
function Heat({ held, index }: { held: Held; index: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = canvas.current;
    const [height, width] = held.question.heat;
    if (!element || !held.heat || height === 0 || width === 0) return;
    const box = element.getBoundingClientRect();
    const [across, down] = [Math.max(1, box.width), Math.max(1, box.height)];
    const context = prepare(element, across, down);
    if (!context) return;
    const size = height * width;
    if ((index + 1) * size > held.heat.byteLength) return;
    const values = new Uint8Array(held.heat.buffer, held.heat.byteOffset + index * size, size);
    const most = Math.max(1, ...values);
    const small = document.createElement("canvas");
    small.width = width;
    small.height = height;
    const inner = small.getContext("2d");
    if (!inner) return;
    const pixels = inner.createImageData(width, height);
    values.forEach((value, at) => {
      pixels.data[at * 4 + 3] = Math.round(175 * (1 - Math.pow(value / most, 0.8)));
    });
    inner.putImageData(pixels, 0, 0);
    context.clearRect(0, 0, across, down);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, width, height, 0, 0, across, down);
  });
  return <canvas ref={canvas} class="cz-heat" aria-hidden="true" />;
}
