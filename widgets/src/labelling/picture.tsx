/** The picture to be labelled, and where the model sees signs in it. */

import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { prepare } from "../pictures/sprite_sheets";
import type { RefObject } from "preact";
import { useLabelling } from "./use_labelling";
import type { Held } from "./pile";

const CLEAR = 0.85;
/** So much of a picture, or of one larger than the window, is enough to see it. */
const IN_VIEW = 0.3;
const IN_VIEW_PIXELS = 160;

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

/** Tells the store once the picture is decoded and painted, or cannot be. */
function useDrawn(image: RefObject<HTMLImageElement>, id: string, url: string): void {
  const store = useLabelling();
  useLayoutEffect(() => {
    const element = image.current;
    if (!element || id === "" || url === "") return undefined;
    let wanted = true;
    const painted = (broken: boolean) => {
      // The first frame is drawn after this call back, the second shows that it was.
      requestAnimationFrame(() => requestAnimationFrame(() => wanted && store.drawn(id, broken)));
    };
    // Some pictures that are shown well cannot be decoded ahead.
    element.decode().then(() => painted(false), () => painted(element.naturalWidth === 0));
    return () => {
      wanted = false;
    };
  }, [store, id, url]);
}

/** Tells the store whether the picture lies within the window, or is scrolled away. */
export function useInView(image: RefObject<HTMLElement>, there: boolean): void {
  const store = useLabelling();
  useEffect(() => {
    const element = image.current;
    if (!element || typeof IntersectionObserver === "undefined") return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        const last = entries.at(-1);
        if (last) store.onScreen(last.intersectionRatio >= IN_VIEW || last.intersectionRect.height >= IN_VIEW_PIXELS);
      },
      { threshold: [0, 0.1, 0.2, IN_VIEW, 0.4, 0.5, 0.75, 1] },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [store, there]);
}

export function Picture() {
  const store = useLabelling();
  const held = store.question(store.view.current);
  const url = usePicture(held);
  const image = useRef<HTMLImageElement>(null);
  useDrawn(image, held?.question.id ?? "", url);
  useInView(image, held !== undefined);
  const { mark } = store.view;
  const shown = mark !== null && mark >= 0 ? held?.question.seen[mark] : undefined;
  if (!held) return null;
  return (
    <figure class="cz-picture" data-cz="picture" data-question={held.question.id}>
      <div class="cz-frame-square">
        <img ref={image} src={url} alt={shown ? `The picture; marked: ${shown.words}` : "The picture to label"} draggable={false} />
        {shown && <Heat held={held} index={mark ?? 0} />}
      </div>
      {store.broken && <p class="cz-broken" data-cz="broken">This picture cannot be drawn.</p>}
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
