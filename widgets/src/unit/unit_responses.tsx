/** What a unit responds to beyond its nine exemplars: to each class, and at every strength. */

import type { ComponentChildren } from "preact";
import { useAsked } from "../link/ask";
import { Picture, useBitmap } from "../pictures/bitmap";
import { useStore } from "../studio/use_store";
import { plain, share } from "../parts/format";
import { Part } from "../parts/panels";
import type { Detail, ResponseCell, ResponseRow, Responses } from "../studio/studio_payload";

export type Look = "activation" | "relevance" | "spectrum";

export const LOOKS: [Look, string, string][] = [
  ["activation", "most active", "inputs on which the unit is most active, best first"],
  ["relevance", "by class", "inputs on which the unit contributes most to each class: activation times gradient of the class's margin, as a share of the layer's"],
  ["spectrum", "spectrum", "inputs on which the unit is least active, low, in the middle and most active"],
];

const LEVELS: Record<string, string> = {
  smallest: "least active",
  low: "a quarter up",
  middle: "half way up",
  largest: "most active",
};

interface Props {
  unit: string;
  look: Look;
  picked: number | null;
  onPick: (image: number) => void;
}

/** Rows of pictures, a class or a strength each. */
export function ResponseRows({ unit, look, picked, onPick }: Props) {
  const { reply, failure } = useAsked("responds", { unit });
  const strip = useBitmap(reply?.blobs.strip);
  if (failure) return <p class="cz-faint">{failure.message} {failure.hint}</p>;
  if (!reply) return <p class="cz-faint">loading …</p>;
  const found = reply as unknown as Responses;
  const rows = look === "relevance" ? found.relevant : found.spectrum;
  if (rows.length === 0) {
    return (
      <p class="cz-faint">
        {look === "relevance" ? "It raises no class on any image that was looked at." : "Its response is the same on all images."}
      </p>
    );
  }
  return (
    <div class={`cz-rows cz-rows-${look}`} data-cz={`rows-${look}`}>
      {rows.map((row) => (
        <Row key={row.name} row={row} look={look} strip={strip} size={found.size} picked={picked} onPick={onPick} />
      ))}
      {look === "relevance" && found.unlisted > 0 && <p class="cz-note">{found.unlisted} classes with smaller shares are not listed</p>}
    </div>
  );
}

interface RowProps extends Omit<Props, "unit"> {
  row: ResponseRow;
  strip: ImageBitmap | null;
  size: [number, number];
}

function Row({ row, look, strip, size, picked, onPick }: RowProps) {
  const classes = look === "relevance";
  const name = classes ? row.name : (LEVELS[row.name] ?? row.name);
  const best = row.cells[0];
  const figure = classes ? share(best?.share) : span(row.cells.map((cell) => cell.response));
  return (
    <div class="cz-row" role="group" aria-label={name}>
      <span class="cz-row-name">
        {name}
        <small title={classes ? "largest share of the layer's contributions to the class" : "largest value on these images"}>{figure}</small>
      </span>
      {row.cells.map((cell) => {
        const words = said(cell);
        return (
          <button
            key={cell.image}
            type="button"
            class="cz-exemplar cz-pick"
            aria-pressed={picked === cell.image}
            title={`${words} · click to look closer`}
            onClick={() => onPick(cell.image)}
          >
            <Picture strip={strip} at={cell.at} size={size} label={words} />
          </button>
        );
      })}
    </div>
  );
}

function said(cell: ResponseCell): string {
  const shows = cell.shows.length > 0 ? `: ${cell.shows.join(", ")}` : "";
  const response = cell.response === null ? "" : `; response ${plain(cell.response)}`;
  return `image ${cell.image}${shows}${response}${cell.share === undefined ? "" : `; ${share(cell.share)} of the layer's`}`;
}

function span(values: (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return "";
  const [low, high] = [plain(Math.min(...known)), plain(Math.max(...known))];
  return low === high ? low : `${low} – ${high}`;
}

/** Mean, spread and range of a unit's responses, in one line. */
export function Statistics({ detail }: { detail: Detail }) {
  const { mean, deviation, active, low, high } = detail.statistics;
  if (mean === undefined) return null;
  return (
    <p class="cz-note" data-cz="statistics">
      mean {plain(mean)} ± {plain(deviation)} · active on {share(active)} of images · peaks {plain(low)} to {plain(high)}
    </p>
  );
}

const SCORES: ["clarity" | "polysemanticity" | "redundancy", string, (value: number) => string][] = [
  ["clarity", "mean cosine between two of its exemplars: 1 when all look alike", (v) => (v > 0.5 ? "its exemplars look alike" : v > 0.2 ? "its exemplars are somewhat alike" : "its exemplars have little in common")],
  ["polysemanticity", "one less the cosine between the centres of two groups of its exemplars", (v) => (v < 0.5 ? "one meaning" : v < 1 ? "two groups that overlap" : "two groups that have nothing in common")],
  ["redundancy", "largest cosine between its mean exemplar and that of another unit of the layer", (v) => (v > 0.9 ? "another unit shows the same" : v > 0.6 ? "another unit shows something like it" : "no other unit shows the same")],
];

/** How far the unit means one thing: three scores, each with what it comes to. */
export function QualityPart() {
  const store = useStore();
  const quality = store.detail()?.quality;
  if (!quality || quality.clarity === undefined) return null;
  const embedding = quality.embedding ?? "";
  return (
    <Part title="One meaning?" hint={`scores of its exemplars' embeddings in ${embedding || "the network"}; scores from other embeddings are not comparable`}>
      {SCORES.map(([name, hint, words]) => {
        const value = quality[name];
        return (
          <div key={name} class="cz-score" title={hint} data-cz={name}>
            <span>{name}</span>
            <b>{plain(value)}</b>
            <span class="cz-faint">{typeof value === "number" ? words(value) : "too few exemplars to say"}</span>
          </div>
        );
      })}
    </Part>
  );
}

/** Units that are active on the same images; a click opens one. */
export function NeighboursPart() {
  const store = useStore();
  const neighbours = store.detail()?.neighbours ?? [];
  if (neighbours.length === 0) return null;
  return (
    <Part title="Fires with" hint="units of the layer whose responses to images correlate most with its own">
      {neighbours.map(({ unit, correlation }) => {
        const word = store.word(store.row(unit));
        const value = Math.max(0, Math.min(1, correlation ?? 0)) * 100;
        const words = `${unit}${word ? `, ${word.text}` : ""}: correlation ${plain(correlation)}`;
        return (
          <Line key={unit} words={words} width={value} value={plain(correlation)}>
            <button type="button" class="cz-link cz-bar-name" title={words} onClick={() => store.open(unit)}>
              <code>{unit}</code> {word?.text}
            </button>
          </Line>
        );
      })}
    </Part>
  );
}

function Line({ words, width, value, children }: { words: string; width: number; value: string; children: ComponentChildren }) {
  return (
    <div class="cz-bar-row cz-bar-wide">
      {children}
      <svg class="cz-bar" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label={words}>
        <rect class="cz-track" x="0" y="3" width="100" height="6" />
        <rect class="cz-fill" x="0" y="3" width={width} height="6" />
      </svg>
      <span class="cz-bar-value">{value}</span>
    </div>
  );
}
