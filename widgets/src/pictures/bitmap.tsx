/** Pictures that came from Python: decoded once, drawn for the screen's pixels. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { decode, prepare } from "./sprite_sheets";

/** Decodes a picture; null until it is there. */
export function useBitmap(bytes: DataView | undefined): ImageBitmap | null {
  const [known, setKnown] = useState<{ bytes: DataView; bitmap: ImageBitmap | null } | null>(null);
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

interface Props {
  strip: ImageBitmap | null;
  /** Which picture of the strip, counted from the left. */
  at: number;
  size: [number, number];
  label: string;
}

/** One picture of a strip. */
export function Picture({ strip, at, size, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, height] = size;
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const side = element.clientWidth || 88;
    const context = prepare(element, side, side);
    if (context && strip) context.drawImage(strip, at * width, 0, width, height, 0, 0, side, side);
  }, [strip, at, width, height]);
  return <canvas ref={canvas} role="img" aria-label={label} />;
}
