/** Small signs that carry meaning by shape and word, never by colour alone. */

import type { AuthorKind, Verdict } from "../studio/studio_payload";

const SHAPES: Record<Verdict, string> = {
  flagged: "M8 1.5 15 14.5H1Z",
  inconclusive: "M8 1 15 8 8 15 1 8Z",
  supported: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z",
};
const STROKES: Record<Verdict, string> = {
  flagged: "M8 6v4M8 12v.6",
  inconclusive: "M6.4 6.6c.1-2.2 3.3-2 3.1 0-.1 1.1-1.5 1.2-1.5 2.5M8 11v.5",
  supported: "M5 8.2 7.2 10.4 11.2 6",
};

export function VerdictMark({ verdict, size = 14 }: { verdict: Verdict; size?: number }) {
  return (
    <svg class={`cz-mark cz-${verdict}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path class="cz-mark-shape" d={SHAPES[verdict]} />
      <path class="cz-mark-sign" d={STROKES[verdict]} />
    </svg>
  );
}

export function Verdicted({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`cz-verdict cz-${verdict}`}>
      <VerdictMark verdict={verdict} /> {verdict}
    </span>
  );
}

/** Words as somebody wrote them; proposals of a rule are slanted and say so. */
export function Words({ text, kind, short = false }: { text: string; kind: AuthorKind; short?: boolean }) {
  return (
    <span class={`cz-words cz-by-${kind}`}>
      {text}
      {kind !== "person" && (
        <span class="cz-by" title={kind === "rule" ? "proposed by rule, looked at by nobody yet" : "written by a model"}>
          {kind === "rule" && !short ? "proposed" : kind}
        </span>
      )}
    </span>
  );
}

export function Icon({ path, size = 14 }: { path: string; size?: number }) {
  return (
    <svg class="cz-icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

export const ICONS = {
  undo: "M6 3 2.5 6.5 6 10M3 6.5h6a4 4 0 0 1 0 8H7",
  redo: "M10 3l3.5 3.5L10 10M13 6.5H7a4 4 0 0 0 0 8h2",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.5 10.5 14 14",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  help: "M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.8.5-1.1.9-1.1 1.9M8 12v.4",
  check: "M3 8.5 6.5 12 13 4.5",
  copy: "M5.5 5.5h8v8h-8ZM2.5 10.5v-8h8",
  dense: "M2 2h3v3H2ZM6.5 2h3v3h-3ZM11 2h3v3h-3ZM2 6.5h3v3H2ZM6.5 6.5h3v3h-3ZM11 6.5h3v3h-3ZM2 11h3v3H2ZM6.5 11h3v3h-3ZM11 11h3v3h-3Z",
};
