/** A page of pictures: click those that show the word. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ICONS, Icon } from "../parts/marks";
import { plural } from "../parts/format";
import { Nothing } from "./frame";
import { usePicture } from "./picture";
import { LEAST_ON_PAGE, MOST_ON_PAGE, SAID } from "./grid_store";
import type { Mark } from "./grid_store";
import { useLabelling } from "./use_labelling";

/** A picture is not shown smaller than this where the window allows it. */
const TILE = 150;
const SMALLEST_TILE = 120;
const LARGEST_TILE = 260;
const GAP = 8;
const SIGNS: Record<Mark, string> = { yes: "✓", cannot: "?", discard: "×" };

export function GridBody() {
  const store = useLabelling();
  const { grid } = store;
  const { refused } = store.view;
  const room = useRef<HTMLDivElement>(null);
  useRoom(room, grid.ids.length);
  const [first, ...rest] = store.pack.guidelines.split(/\n\s*\n/).map((p) => p.trim()).filter((p) => p !== "");
  const empty = grid.ids.length === 0;
  return (
    <div class="cz-grid-body">
      <div class="cz-grid-head">
        {empty ? <span /> : <h3 class="cz-grid-asks" data-cz="asks">Click the pictures that show <b>{grid.word}</b></h3>}
        <span class="cz-space" />
        <WordScreenChoice />
      </div>
      {!empty && (
        <details class="cz-grid-guide" data-cz="guidelines">
          <summary>{first}</summary>
          {rest.map((text, i) => <p key={i}>{text}</p>)}
          <p>Click once for <i>shows it</i>, twice for <i>cannot tell</i>. What you do not click does not show it.</p>
        </details>
      )}
      <div ref={room} class="cz-grid-room">
        {empty ? <Nothing /> : <Tiles />}
        {refused !== "" && <p class="cz-refused" data-cz="refused" aria-hidden="true">{refused}</p>}
      </div>
      <GridFoot />
    </div>
  );
}

function Tiles() {
  const { grid } = useLabelling();
  const list = useRef<HTMLDivElement>(null);
  const current = grid.ids[grid.at];
  const before = useRef<string>();
  useLayoutEffect(() => {
    const tile = list.current?.querySelector<HTMLElement>(".cz-tile[tabindex='0']");
    // The focus goes with the keys, and with the next page; it is taken from nothing else.
    const active = document.activeElement;
    const nowhere = active === document.body && (before.current !== undefined || document.body.dataset.voila !== undefined);
    const inside = nowhere || list.current?.contains(active) || active?.matches(".cz-labelling");
    if (before.current !== current && inside) tile?.focus({ preventScroll: true });
    if (before.current !== current) tile?.scrollIntoView?.({ block: "nearest" });
    before.current = current;
  }, [current]);
  return (
    <div ref={list} class="cz-tiles" role="group" aria-label={`Pictures: which show ${grid.word}?`} data-cz="page" style={{ "--cz-tile-columns": `${grid.columns}` }}>
      {grid.ids.map((id, i) => <Tile key={id} id={id} place={i} />)}
    </div>
  );
}

function Tile({ id, place }: { id: string; place: number }) {
  const store = useLabelling();
  const { grid } = store;
  const held = store.question(id);
  const url = usePicture(held);
  const image = useRef<HTMLImageElement>(null);
  const mark = grid.mark(id);
  const broken = mark === "discard" && store.grid.isBroken(id);
  useLayoutEffect(() => {
    const element = image.current;
    if (!element || url === "") return undefined;
    let wanted = true;
    const painted = (lost: boolean) => {
      requestAnimationFrame(() => requestAnimationFrame(() => wanted && grid.paint(id, lost)));
    };
    element.decode().then(() => painted(false), () => painted(element.naturalWidth === 0));
    return () => {
      wanted = false;
    };
  }, [id, url]);
  useEffect(() => {
    const element = image.current;
    if (!element || typeof IntersectionObserver === "undefined") return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.intersectionRatio >= 0.5)) grid.view(id);
    }, { threshold: [0.5] });
    observer.observe(element);
    return () => observer.disconnect();
  }, [id]);
  return (
    <button
      type="button"
      class="cz-tile"
      role="checkbox"
      aria-checked={mark === "yes" ? "true" : mark === undefined ? "false" : "mixed"}
      aria-label={`Picture ${place + 1}${mark === undefined ? "" : `: ${SAID[mark]}`}`}
      data-question={id}
      data-mark={mark ?? "no"}
      tabIndex={grid.at === place ? 0 : -1}
      onClick={() => grid.click(id)}
      onFocus={() => grid.at !== place && grid.moveTo(place)}
    >
      <img ref={image} src={url} alt="" draggable={false} />
      {broken && <span class="cz-tile-broken">cannot be drawn</span>}
      {mark !== undefined && <span class="cz-tile-mark"><b aria-hidden="true">{SIGNS[mark]}</b> {SAID[mark]}</span>}
    </button>
  );
}

function GridFoot() {
  const store = useLabelling();
  const { grid } = store;
  const [yes, cannot, discard] = [grid.count("yes"), grid.count("cannot"), grid.count("discard")];
  const last = grid.last.length;
  const more = [cannot > 0 ? `${cannot} cannot tell` : "", discard > 0 ? `${discard} not usable` : ""].filter((t) => t !== "");
  return (
    <footer class="cz-grid-foot" data-cz="grid-foot">
      <button type="button" class="cz-button cz-quiet" data-cz="undo-page" disabled={last === 0} onClick={() => grid.undo()}>
        <Icon path={ICONS.undo} /> Undo last page <kbd>u</kbd>
      </button>
      <span class="cz-space" />
      {grid.ids.length > 0 && (
        <>
          <span class="cz-faint" data-cz="tally">
            {plural(yes, "shows it", "show it")} · {grid.ids.length - yes - cannot - discard} do not{more.length > 0 ? ` · ${more.join(" · ")}` : ""}
          </span>
          <button type="button" class="cz-button cz-primary" data-cz="submit" onClick={() => grid.submit()}>
            {yes + cannot + discard === 0 ? "None shows it" : "Answer page"} <kbd>Enter</kbd>
          </button>
        </>
      )}
    </footer>
  );
}

/** Which of the two screens: kept by the browser. */
export function WordScreenChoice() {
  const store = useLabelling();
  const { grid } = store;
  if (!grid.offered) return null;
  return (
    <div class="cz-word-screen" role="group" aria-label="How pictures are shown" data-cz="word-screen">
      {[{ on: true, text: "Grid" }, { on: false, text: "One at a time" }].map(({ on, text }) => (
        <button key={text} type="button" class="cz-button" aria-pressed={grid.shown === on} title="g" onClick={() => store.turnGrid(on)}>{text}</button>
      ))}
    </div>
  );
}

/** How many pictures fit into the window: twelve at least. */
export function roomFor(width: number, height: number): number {
  const across = (tile: number) => Math.max(1, Math.floor((width + GAP) / (tile + GAP)));
  const down = (tile: number) => Math.max(1, Math.floor((height + GAP) / (tile + GAP)));
  let tile = TILE;
  while (tile > SMALLEST_TILE && across(tile) * down(tile) < LEAST_ON_PAGE) tile -= 2;
  // On a wide window larger pictures are better than more of them.
  while (across(tile) * down(tile) > MOST_ON_PAGE) tile += 2;
  return Math.max(LEAST_ON_PAGE, Math.min(MOST_ON_PAGE, Math.max(2, across(tile)) * down(tile)));
}

/** In how many columns so many pictures are largest, and how large. */
export function layOut(count: number, width: number, height: number): { columns: number; tile: number } {
  let best = { columns: 1, tile: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const tile = Math.floor(Math.min((width - (columns - 1) * GAP) / columns, (height - (rows - 1) * GAP) / rows, LARGEST_TILE));
    if (tile > best.tile) best = { columns, tile };
  }
  if (best.tile >= SMALLEST_TILE) return best;
  // They cannot all be in view: as large as is good to look at, and the page scrolls.
  const columns = Math.max(2, Math.floor((width + GAP) / (SMALLEST_TILE + GAP)));
  return { columns, tile: Math.floor((width - (columns - 1) * GAP) / columns) };
}

function useRoom(room: { current: HTMLDivElement | null }, count: number): void {
  const store = useLabelling();
  useLayoutEffect(() => {
    const element = room.current;
    if (!element) return undefined;
    const measure = () => {
      const { clientWidth, clientHeight } = element;
      if (clientWidth === 0) return;
      // On a telephone the page grows with its pictures and scrolls: its height tells nothing.
      const scrolls = getComputedStyle(element).overflowY !== "auto";
      const [width, height] = [clientWidth - 2 * GAP, scrolls ? 0 : clientHeight - 2 * GAP];
      const { columns, tile } = layOut(count, width, height);
      element.style.setProperty("--cz-tile", `${tile}px`);
      store.fitGrid(roomFor(width, height), columns);
    };
    measure();
    if (typeof ResizeObserver === "undefined") return undefined;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [store, count]);
}
