/** Which unit a row is: ids follow from the names and sizes of layers, and need not be sent. */

import type { Head } from "../studio/studio_payload";

interface Place {
  name: string;
  first: number;
  size: number;
}

function within(place: Place | undefined, row: number): boolean {
  return place !== undefined && row >= place.first && row < place.first + place.size;
}

export class Names {
  readonly places: readonly Place[];
  readonly count: number;
  private readonly byName: Map<string, Place>;
  private last = 0;

  constructor(layers: Head["layers"]) {
    let first = 0;
    this.places = layers.map(({ name, size }) => {
      const place = { name, first, size };
      first += size;
      return place;
    });
    this.count = first;
    this.byName = new Map(this.places.map((place) => [place.name, place]));
  }

  /** Row of a unit, -1 when it is not listed. */
  row(id: string): number {
    const at = id.lastIndexOf(":");
    const place = this.byName.get(id.slice(0, Math.max(0, at)));
    const text = id.slice(at + 1);
    const index = Number(text);
    return place && String(index) === text && Number.isInteger(index) && index >= 0 && index < place.size ? place.first + index : -1;
  }

  id(row: number): string {
    const place = this.places[this.placeOf(row)];
    return place ? `${place.name}:${row - place.first}` : "";
  }

  /** Which of the places a row lies in, -1 for none. */
  placeOf(row: number): number {
    // Rows are asked for one after the other: most lie where the last one did.
    if (!within(this.places[this.last], row)) this.last = this.places.findIndex((place) => within(place, row));
    return this.last;
  }
}
