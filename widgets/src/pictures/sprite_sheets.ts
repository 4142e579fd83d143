/** Draws exemplars from the sprite sheets, which are decoded once and shared by all tiles. */

import { Fetcher } from "../link/fetcher";
import type { Atlas } from "../studio/studio_payload";
import { integersOf } from "../studio/unit_table";

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

/** A sheet that was decoded, and when it was last drawn from. */
interface Page {
  bitmap: ImageBitmap;
  images: Int32Array;
  used: number;
}

/** Thumbnails kept decoded; the sheets drawn from longest ago go first. */
const MOST_TILES = 8192;
const MOST_ASKED = 256;

export class Sheets {
  /** Grows with every sheet that can be drawn. */
  version = 0;
  private atlas: Atlas | null = null;
  private pages: Page[] = [];
  private places = new Map<number, { page: Page; at: number }>();
  private turn = 0;
  private fetcher: Fetcher | null = null;
  private changed: () => void = () => undefined;

  constructor(
    private readonly ask: (images: number[]) => Promise<Atlas>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Decodes the pages when they are new; `changed` is called when there is more to draw. */
  load(atlas: Atlas, changed: () => void): void {
    this.changed = changed;
    if (atlas === this.atlas) return;
    this.atlas = atlas;
    for (const { bitmap } of this.pages) bitmap.close?.();
    this.pages = [];
    this.places.clear();
    const here = this.add(atlas, atlas);
    const fetch = async (images: number[]) => {
      await here;
      const more = images.filter((image) => !this.places.has(image));
      if (more.length > 0) await this.add(await this.ask(more), atlas);
    };
    this.fetcher = new Fetcher(MOST_ASKED, (image) => this.places.has(image), fetch, this.failed);
  }

  get ready(): boolean {
    return this.pages.length > 0;
  }

  /** Says what is in sight; what is missing is fetched. */
  want(images: readonly number[]): void {
    if (typeof createImageBitmap === "function") this.fetcher?.want("grid", images);
  }

  draw(
    context: CanvasRenderingContext2D,
    image: number,
    crop: Crop,
    x: number,
    y: number,
    side: number,
  ): void {
    const place = this.places.get(image);
    const atlas = this.atlas;
    if (!atlas || !place) return;
    place.page.used = ++this.turn;
    const left = (place.at % atlas.columns) * atlas.tile;
    const top = Math.floor(place.at / atlas.columns) * atlas.tile;
    context.drawImage(
      place.page.bitmap,
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

  /** Takes in sheets, unless others were loaded while they were decoded. */
  private async add(sheets: Atlas, of: Atlas): Promise<void> {
    const images = integersOf(sheets.images);
    const each = sheets.columns * sheets.columns;
    const bitmaps = await Promise.all(sheets.pages.map((page) => decode(page, "image/jpeg")));
    if (this.atlas !== of) return;
    bitmaps.forEach((bitmap, i) => {
      if (!bitmap) return;
      const page = { bitmap, images: images.subarray(i * each, (i + 1) * each), used: ++this.turn };
      this.pages.push(page);
      page.images.forEach((image, at) => this.places.set(image, { page, at }));
    });
    this.drop();
    this.version++;
    this.changed();
  }

  private drop(): void {
    this.pages.sort((a, b) => b.used - a.used);
    while (this.places.size > MOST_TILES && this.pages.length > 1) {
      const page = this.pages.pop();
      page?.images.forEach((image) => {
        if (this.places.get(image)?.page === page) this.places.delete(image);
      });
      page?.bitmap.close?.();
    }
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
