/** Draws exemplars from the sprite sheets, which are decoded once and shared by all tiles. */

import type { Atlas } from "./protocol";

export interface Crop {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

export const WHOLE: Crop = { top: 0, left: 0, bottom: 1, right: 1 };
const SMALLEST = 0.34;

/** A square around a box, inside the picture, never so small that nothing can be made out. */
export function square(box: Crop): Crop {
  const side = Math.min(1, Math.max(box.bottom - box.top, box.right - box.left, SMALLEST));
  const place = (low: number, high: number): number =>
    Math.min(1 - side, Math.max(0, (low + high - side) / 2));
  const top = place(box.top, box.bottom);
  const left = place(box.left, box.right);
  return { top, left, bottom: top + side, right: left + side };
}

export async function decode(bytes: DataView, type = "image/png"): Promise<ImageBitmap | null> {
  if (typeof createImageBitmap !== "function") return null;
  try {
    return await createImageBitmap(new Blob([bytes as DataView<ArrayBuffer>], { type }));
  } catch {
    return null;
  }
}

export class Sheets {
  private pages: (ImageBitmap | null)[] = [];
  private atlas: Atlas | null = null;

  /** Decodes the pages when they are new; `ready` is called when they can be drawn. */
  load(atlas: Atlas, ready: () => void): void {
    if (atlas === this.atlas) return;
    this.atlas = atlas;
    this.pages = [];
    void Promise.all(atlas.pages.map((page) => decode(page, "image/jpeg"))).then((pages) => {
      if (this.atlas !== atlas) return;
      this.pages = pages;
      ready();
    });
  }

  get ready(): boolean {
    return this.pages.length > 0;
  }

  draw(
    context: CanvasRenderingContext2D,
    place: number,
    crop: Crop,
    x: number,
    y: number,
    side: number,
  ): void {
    const atlas = this.atlas;
    if (!atlas || place < 0) return;
    const each = atlas.columns * atlas.columns;
    const page = this.pages[Math.floor(place / each)];
    if (!page) return;
    const at = place % each;
    const left = (at % atlas.columns) * atlas.tile;
    const top = Math.floor(at / atlas.columns) * atlas.tile;
    context.drawImage(
      page,
      left + crop.left * atlas.tile,
      top + crop.top * atlas.tile,
      (crop.right - crop.left) * atlas.tile,
      (crop.bottom - crop.top) * atlas.tile,
      x,
      y,
      side,
      side,
    );
  }
}

/** Sizes a canvas for the screen's pixels; null where there is no canvas to draw on. */
export function prepare(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | null {
  const scale = Math.min(3, Math.max(1, window.devicePixelRatio || 1));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context?.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}
