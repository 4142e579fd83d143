/** The grid of units: only the rows in sight exist as elements, so ten thousand are fine. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { WHOLE, prepare, square } from "../pictures/sprite_sheets";
import type { Crop, Sheets } from "../pictures/sprite_sheets";
import { useStore } from "./use_store";
import { worstOf } from "./derive";
import { effect } from "../parts/format";
import { Filters } from "./filters";
import { VerdictMark, Words } from "../parts/marks";
import { PER_UNIT } from "./unit_table";
import type { Store } from "./store";

const GAP = 8;
const SLIM = 98;
const LABEL = 56;
const SPARE = 2;

/** How many tiles stand in a row; keys.ts moves by it. */
export const layout = { columns: 3 };

export function Grid({ sheets }: { sheets: Sheets }) {
  return (
    <div class="cz-grid-pane">
      <Filters />
      <Tiles sheets={sheets} />
    </div>
  );
}

function Tiles({ sheets }: { sheets: Sheets }) {
  const store = useStore();
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 400, height: 480 });
  const [top, setTop] = useState(0);
  const rows = store.shown();
  const columns = Math.max(1, Math.floor((size.width - GAP) / (SLIM + GAP)));
  layout.columns = columns;
  const side = Math.floor((size.width - GAP * (columns + 1)) / columns);
  const step = side + LABEL + GAP;
  const lines = Math.ceil(rows.length / columns);
  const line = Math.floor(top / step);
  const first = Math.max(0, Math.min(line, lines) - SPARE);
  const last = Math.min(lines, line + Math.ceil(size.height / step) + 1 + SPARE);
  const at = rows.indexOf(store.view.unit);

  useLayoutEffect(() => {
    store.focus.grid = () => box.current?.focus({ preventScroll: true });
  }, [store]);

  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = () => {
      if (element.clientWidth > 0) setSize({ width: element.clientWidth, height: element.clientHeight });
    };
    measure();
    if (typeof ResizeObserver === "undefined") return undefined;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // Brings the selected tile into sight, whatever selected it.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || at < 0) return;
    const y = Math.floor(at / columns) * step;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + step > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + step + GAP - element.clientHeight;
    }
  }, [at, columns, step]);

  // What is in sight first, then a screen to either side: most of what comes next is here already.
  const around = last - first;
  const [from, to, below, above] = [first, last, last + around, Math.max(0, first - around)].map((line) => line * columns) as [number, number, number, number];
  const { dense } = store.view;
  useEffect(() => {
    const sight = rows.slice(from, to);
    store.rows.want("grid", [...sight, ...rows.slice(to, below), ...rows.slice(above, from)]);
    const images = sight.flatMap((row) => [...store.rows.exemplars.subarray(row * PER_UNIT, row * PER_UNIT + (dense ? PER_UNIT : 4))]);
    sheets.want(images.filter((image) => image >= 0));
  });

  return (
    <div
      ref={box}
      class="cz-tiles"
      role="listbox"
      aria-label="Units"
      aria-activedescendant={at >= 0 ? tileId(store, store.view.unit) : undefined}
      tabIndex={0}
      data-cz-list="units"
      // Within a line of tiles nothing is drawn anew.
      onScroll={(event) => setTop(Math.floor((event.currentTarget as HTMLElement).scrollTop / step) * step)}
    >
      {rows.length === 0 && <Nothing />}
      <div style={{ height: `${lines * step + GAP}px` }} role="presentation">
        {rows.slice(first * columns, last * columns).map((row, i) => {
          const place = first * columns + i;
          const x = GAP + (place % columns) * (side + GAP);
          const y = GAP + Math.floor(place / columns) * step;
          return (
            <Tile
              key={row}
              row={row}
              place={place}
              total={rows.length}
              sheets={sheets}
              side={side}
              style={{ transform: `translate(${x}px, ${y}px)`, width: `${side}px`, height: `${side + LABEL}px` }}
            />
          );
        })}
      </div>
    </div>
  );
}

function Nothing() {
  const store = useStore();
  return (
    <p class="cz-nothing">
      No unit fits this filter.{" "}
      <button type="button" class="cz-link" onClick={() => store.clear()}>
        Show all
      </button>
    </p>
  );
}

interface TileProps {
  row: number;
  place: number;
  total: number;
  sheets: Sheets;
  side: number;
  style: Record<string, string>;
}

function Tile({ row, place, total, sheets, side, style }: TileProps) {
  const store = useStore();
  const word = store.word(row);
  const drive = store.drive(row);
  const worst = worstOf(store.data.findings.get(row) ?? []);
  const id = store.id(row);
  const badge = worst && worst.verdict !== "supported" ? worst : null;
  const said = [
    id,
    word ? `${word.text}${word.kind === "rule" ? ", proposed by rule" : ""}` : "no words yet",
    drive ? `drives ${drive.target} ${effect(drive.estimate)}` : "",
    badge ? `${badge.count} ${badge.verdict}` : "",
  ];
  return (
    <div
      id={tileId(store, row)}
      class="cz-tile"
      role="option"
      aria-selected={row === store.view.unit}
      aria-posinset={place + 1}
      aria-setsize={total}
      aria-label={said.filter((part) => part !== "").join(", ")}
      data-unit={id}
      style={style}
      onClick={() => store.select(row)}
      onDblClick={() => store.focusOn("editor")}
    >
      <Thumbnails row={row} sheets={sheets} side={side} />
      <code class="cz-tile-id" style={{ top: `${side - 20}px` }}>{id}</code>
      {badge && (
        <span class={`cz-badge cz-${badge.verdict}`} title={`${badge.count} ${badge.verdict}`}>
          <VerdictMark verdict={badge.verdict} size={13} />
          {badge.count > 1 && badge.count}
        </span>
      )}
      <div class="cz-tile-words">
        {word ? <Words text={word.text} kind={word.kind} short /> : <span class="cz-faint">no words yet</span>}
      </div>
      <div class="cz-tile-meta">
        {drive && (
          <span class="cz-drive" title={`alone, it moves ${drive.target} by ${effect(drive.estimate)}`}>
            {drive.target} {effect(drive.estimate)}
          </span>
        )}
      </div>
    </div>
  );
}

/** Crops of the best exemplars: four, or nine where somebody wants more of them. */
function Thumbnails({ row, sheets, side }: { row: number; sheets: Sheets; side: number }) {
  const store = useStore();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { dense } = store.view;
  const known = store.rows.known(row);
  useLayoutEffect(() => {
    if (!canvas.current) return;
    const context = prepare(canvas.current, side, side);
    if (!context) return;
    const across = dense ? 3 : 2;
    const gap = 2;
    const each = (side - gap * (across - 1)) / across;
    for (let i = 0; i < across * across; i++) {
      const image = store.rows.exemplars[row * PER_UNIT + i] ?? -1;
      const x = (i % across) * (each + gap);
      const y = Math.floor(i / across) * (each + gap);
      sheets.draw(context, image, cropOf(store, row, i), x, y, each);
    }
  }, [store, row, side, dense, sheets, sheets.version, store.rows, known]);
  return <canvas ref={canvas} class="cz-thumbs" style={{ width: `${side}px`, height: `${side}px` }} aria-hidden="true" />;
}

function cropOf(store: Store, row: number, i: number): Crop {
  const at = (row * PER_UNIT + i) * 4;
  const [top, left, bottom, right] = [...store.rows.boxes.subarray(at, at + 4)].map((share) => share / 255);
  if (top === undefined || left === undefined || bottom === undefined || right === undefined) return WHOLE;
  return square({ top, left, bottom, right });
}

function tileId(store: Store, row: number): string {
  return `${store.prefix}-tile-${row}`;
}
