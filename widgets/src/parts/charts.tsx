/** Small drawings, every one with its uncertainty, every one with words for those who cannot see it. */

import { effect, plain } from "./format";
import type { Match } from "../studio/studio_payload";

const WIDE = 240;

interface IntervalProps {
  estimate: number | null;
  low: number | null;
  high: number | null;
  delta: number;
  label: string;
  format: (value: number | null) => string;
  /** A share from 0 up, held against a bound from above. */
  bounded: boolean;
}

/** An estimate with its interval, drawn against the margin ±δ or a bound. */
export function Interval({ estimate, low, high, delta, label, format, bounded }: IntervalProps) {
  if (estimate === null) return null;
  const margin = format(delta).replace("+", "");
  const ends = [low ?? estimate, high ?? estimate, delta, estimate];
  const most = bounded ? Math.max(1, ...ends) : Math.max(2.5 * delta, ...ends.map(Math.abs)) * 1.12;
  const down = Math.min(...ends, 0);
  const least = bounded ? Math.min(0, down) : down < -delta ? -most : -1.6 * delta;
  const x = (value: number) => 6 + ((value - least) / (most - least)) * (WIDE - 12);
  const from = bounded ? 0 : -delta;
  const ticks: [number, string][] = bounded ? [[delta, `bound ${margin}`]] : [[delta, `δ ${margin}`], [-delta, "−δ"]];
  const apart = ticks.every(([value]) => Math.abs(x(estimate) - x(value)) > 36);
  return (
    <svg
      class="cz-interval"
      viewBox={`0 0 ${WIDE} 40`}
      role="img"
      aria-label={`${label}: ${format(estimate)}, interval ${format(low)} to ${format(high)}, ${bounded ? "bound" : "margin"} ${margin}`}
    >
      <rect class="cz-margin" x={x(from)} y="4" width={x(delta) - x(from)} height="20" />
      <line class="cz-axis" x1="0" x2={WIDE} y1="24" y2="24" />
      <line class="cz-zero" x1={x(0)} x2={x(0)} y1="4" y2="24" />
      <line class="cz-range" x1={x(low ?? estimate)} x2={x(high ?? estimate)} y1="14" y2="14" />
      <line class="cz-range" x1={x(low ?? estimate)} x2={x(low ?? estimate)} y1="10" y2="18" />
      <line class="cz-range" x1={x(high ?? estimate)} x2={x(high ?? estimate)} y1="10" y2="18" />
      <circle class="cz-point" cx={x(estimate)} cy="14" r="3" />
      {ticks.map(([value, text]) => (
        <text key={text} class="cz-tick" x={x(value)} y="36" text-anchor="middle">{text}</text>
      ))}
      {apart && (
        <text class="cz-tick cz-strong" x={Math.min(WIDE - 16, Math.max(16, x(estimate)))} y="36" text-anchor="middle">
          {format(estimate)}
        </text>
      )}
    </svg>
  );
}

interface BarProps {
  name: string;
  values: [number, number, number] | null;
  reach: number;
  delta: number;
  strong?: boolean;
  onClick?: () => void;
  title?: string;
}

/** One row of a bar chart around zero, with a whisker. */
export function EffectBar({ name, values, reach, delta, strong = false, onClick, title }: BarProps) {
  const x = (value: number) => 50 + (Math.max(-1, Math.min(1, value / reach)) * 100) / 2;
  const [estimate, low, high] = values ?? [null, null, null];
  const words = values ? `${name}: ${effect(estimate)}, interval ${effect(low)} to ${effect(high)}` : `${name}: not measured`;
  return (
    <div class={`cz-bar-row${strong ? " cz-strong" : ""}`} title={title ?? words}>
      {onClick ? (
        <button type="button" class="cz-link cz-bar-name" onClick={onClick}>{name}</button>
      ) : (
        <span class="cz-bar-name">{name}</span>
      )}
      <svg class="cz-bar" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label={words}>
        <rect class="cz-margin" x={x(-delta)} width={x(delta) - x(-delta)} y="0" height="12" />
        {estimate !== null && low !== null && high !== null && (
          <>
            <rect
              class={estimate < 0 ? "cz-fill cz-negative" : "cz-fill"}
              x={Math.min(50, x(estimate))}
              width={Math.max(0.4, Math.abs(x(estimate) - 50))}
              y="3"
              height="6"
            />
            <line class="cz-range" x1={x(low)} x2={x(high)} y1="6" y2="6" vector-effect="non-scaling-stroke" />
          </>
        )}
        <line class="cz-zero" x1="50" x2="50" y1="0" y2="12" vector-effect="non-scaling-stroke" />
      </svg>
      <span class="cz-bar-value">{effect(estimate)}</span>
    </div>
  );
}

/** What putting the concept into an image does to the response, in words; empty where no pair tells. */
export function changed({ concept, paired: [change, low, high], pairs }: Match): string {
  if (change === null) return "";
  return `putting ${concept} into an image changes the response by ${plain(change, 1)} sd [${plain(low, 1)}, ${plain(high, 1)}] (${pairs} pairs)`;
}

/** How well each concept's labels fit the unit's responses. */
export function MatchBar({ match }: { match: Match }) {
  const { concept: name, kind, score: value, positives } = match;
  const width = Math.max(0, Math.min(1, value ?? 0)) * 100;
  const words = [
    `${name} (${kind || "unknown kind"}): match ${plain(value)} over ${positives} images that show it`,
    `purity ${plain(match.purity)}`,
    changed(match),
  ].filter(Boolean).join("; ");
  return (
    <div class="cz-bar-row" title={words}>
      <span class="cz-bar-name">{name}</span>
      <svg class="cz-bar" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label={words}>
        <rect class="cz-track" x="0" y="3" width="100" height="6" />
        <rect class="cz-fill" x="0" y="3" width={width} height="6" />
      </svg>
      <span class="cz-bar-value">{plain(value)}</span>
    </div>
  );
}

/** Responses over the whole concept set, the exemplars' range marked. */
export function Histogram({ counts, edges, threshold }: { counts: number[]; edges: number[]; threshold: number | null }) {
  const most = Math.max(1, ...counts);
  const total = counts.reduce((a, b) => a + b, 0);
  const low = edges[0] ?? 0;
  const high = edges[edges.length - 1] ?? 1;
  const at = threshold === null || high === low ? null : ((threshold - low) / (high - low)) * WIDE;
  const width = WIDE / counts.length;
  return (
    <svg
      class="cz-histogram"
      viewBox={`0 0 ${WIDE} 62`}
      role="img"
      aria-label={`Largest response on ${total} images, from ${plain(low)} to ${plain(high)}`}
    >
      {counts.map((count, i) => {
        // Square root: the rare strong responses are what a unit is about, and must be visible.
        const height = count === 0 ? 0 : Math.max(1, Math.sqrt(count / most) * 44);
        return <rect key={i} class="cz-fill" x={i * width + 0.5} y={48 - height} width={width - 1} height={height} />;
      })}
      <line class="cz-axis" x1="0" x2={WIDE} y1="48" y2="48" />
      {at !== null && (
        <>
          <line class="cz-mark-line" x1={at} x2={at} y1="2" y2="48" />
          <text class="cz-tick" x={at > WIDE / 2 ? at - 4 : at + 4} y="9" text-anchor={at > WIDE / 2 ? "end" : "start"}>exemplars</text>
        </>
      )}
      <text class="cz-tick" x="0" y="59">{plain(low)}</text>
      <text class="cz-tick" x={WIDE} y="59" text-anchor="end">{plain(high)}</text>
    </svg>
  );
}
