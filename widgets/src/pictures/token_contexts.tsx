/** Token sequences a head or neuron responds to: where it looks, and what it writes. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAsked } from "../link/ask";
import { prepare } from "./sprite_sheets";
import { useStore } from "../studio/use_store";
import { plain, share } from "../parts/format";
import { CopyPython } from "../parts/panels";
import type { Context, Detail, Pattern, Writes } from "../studio/studio_payload";

const isHead = (unit: string) => unit.includes("attn.hook_z:");

interface Props {
  detail: Detail;
  rank: number;
  onPick: (rank: number) => void;
}

/** One line a sequence, each token as strong in colour as the unit's response there. */
export function Contexts({ detail, rank, onPick }: Props) {
  const { unit } = detail;
  const heat = detail.blobs.heat;
  const cells = (detail.heat[0] ?? 0) * (detail.heat[1] ?? 0);
  return (
    <>
      <div class="cz-contexts" role="group" aria-label="Contexts, the strongest first" onKeyDown={walk}>
        {detail.contexts.map((context, i) => {
          if (context === null) return null;
          const lit = heat ? new Uint8Array(heat.buffer, heat.byteOffset + i * cells, cells) : new Uint8Array();
          const peak = detail.exemplars[i]?.peak ?? null;
          return (
            <button key={i} type="button" class="cz-context" aria-pressed={i === rank} title={said(context, peak, unit)} onClick={() => onPick(i)}>
              <Tokens context={context} lit={lit} />
              <span class="cz-bar-value">{plain(peak)}</span>
            </button>
          );
        })}
      </div>
      <p class="cz-note">
        {isHead(unit)
          ? "framed: the position that looks; underlined: the one the figure is about; colour: attention"
          : "framed: the position the figure is about; colour: activation"}
      </p>
    </>
  );
}

/** Where a head looks and what it writes, in the context that is picked. */
export function InContext({ detail, rank }: Omit<Props, "onPick">) {
  const { unit } = detail;
  const image = detail.exemplars[rank]?.image;
  if (image === undefined || !detail.contexts[rank]) return null;
  return (
    <div class="cz-two">
      {isHead(unit) && <PatternOf unit={unit} image={image} />}
      <WritesOf unit={unit} image={image} />
    </div>
  );
}

/** Arrow keys go from line to line. */
function walk(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const here = event.target as HTMLElement;
  if (step === undefined) return;
  const lines = [...(here.parentElement?.querySelectorAll<HTMLElement>(".cz-context") ?? [])];
  const next = lines[lines.indexOf(here) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function said(context: Context, peak: number | null, unit: string): string {
  const [query, key] = context.focus;
  const from = query === undefined ? "" : `, at “${context.tokens[query]}” (position ${query})`;
  const to = !isHead(unit) || key === undefined ? "" : ` to “${context.tokens[key]}” (position ${key})`;
  return `response ${plain(peak)}${from}${to}`;
}

function Tokens({ context, lit }: { context: Context; lit: Uint8Array }) {
  const most = Math.max(1, ...lit.subarray(0, context.tokens.length));
  const [query, key] = context.focus;
  return (
    <span class="cz-tokens">
      {context.tokens.map((token, i) => {
        const part = Math.round(((lit[i] ?? 0) / most) * 100);
        const kind = `${i === query ? " cz-query" : ""}${i === key ? " cz-key" : ""}`;
        return (
          <span key={i} class={`cz-token${kind}`} style={{ "--cz-lit": `${Math.round(part * 0.72)}%` }}>
            {token.trim() === "" ? "␣" : token}
          </span>
        );
      })}
    </span>
  );
}

/** Attention from every position to every other, on one sequence. */
function PatternOf({ unit, image }: { unit: string; image: number }) {
  const { reply, failure } = useAsked("pattern", { unit, image });
  const found = reply as unknown as Pattern | null;
  const [at, setAt] = useState<[number, number] | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const bytes = found?.blobs.pattern;
  const t = found?.tokens.length ?? 0;
  useEffect(() => setAt(null), [image, unit]);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || !bytes) return;
    const side = element.clientWidth || 220;
    const context = prepare(element, side, side);
    if (!context) return;
    const ink = getComputedStyle(element).color;
    for (let q = 0; q < t; q++) {
      for (let k = 0; k <= q; k++) {
        context.globalAlpha = Math.sqrt(Math.max(0, value(bytes, t, q, k)));
        context.fillStyle = ink;
        context.fillRect((k * side) / t, (q * side) / t, side / t, side / t);
      }
    }
    context.globalAlpha = 0.5;
    context.strokeStyle = ink;
    const marked = at ?? [found?.focus[0] ?? -1, found?.focus[1] ?? -1];
    context.strokeRect((marked[1] * side) / t, (marked[0] * side) / t, side / t, side / t);
  }, [bytes, t, at, found]);
  const [q, k] = at ?? [found?.focus[0] ?? 0, found?.focus[1] ?? 0];
  const strength = bytes ? value(bytes, t, q, k) : 0;
  const move = (event: KeyboardEvent) => {
    const step = ({ ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] } as Record<string, [number, number]>)[event.key];
    if (!step || t === 0) return;
    event.preventDefault();
    const row = Math.min(t - 1, Math.max(0, q + step[0]));
    setAt([row, Math.min(row, Math.max(0, k + step[1]))]);
  };
  const words = found ? `“${found.tokens[q]}” (${q}) looks at “${found.tokens[k]}” (${k}): ${share(strength)}` : "";
  return (
    <div class="cz-part" data-cz="pattern">
      <h4 title="rows look, columns are looked at; colour is the square root of attention">
        Attention
        {found && <CopyPython code={found.python} />}
      </h4>
      {failure ? (
        <p class="cz-faint"><b>Cannot be computed here.</b> {failure.message} {failure.hint}</p>
      ) : (
        <>
          <canvas
            ref={canvas}
            class="cz-pattern"
            role="img"
            tabIndex={0}
            aria-label={`Attention pattern; ${words}; arrow keys move`}
            onKeyDown={move}
            onPointerMove={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              const row = Math.floor(((event.clientY - box.top) / box.height) * t);
              const column = Math.floor(((event.clientX - box.left) / box.width) * t);
              if (row >= 0 && row < t && column >= 0 && column <= row) setAt([row, column]);
            }}
          />
          <p class="cz-note" aria-live="polite">{found ? words : "running the network …"}</p>
        </>
      )}
    </div>
  );
}

function value(bytes: DataView, t: number, query: number, key: number): number {
  const at = 4 * (query * t + key);
  return at >= 0 && at + 4 <= bytes.byteLength ? bytes.getFloat32(at, true) : 0;
}

/** Which tokens the unit raises and lowers by itself, in this context or over its exemplars. */
function WritesOf({ unit, image }: { unit: string; image: number }) {
  const [here, setHere] = useState(true);
  const { reply, failure } = useAsked("writes", here ? { unit, image } : { unit });
  const found = reply as unknown as Writes | null;
  const rows = found ? [...found.raises, ...found.lowers] : [];
  const most = Math.max(1e-9, ...rows.map((row) => Math.abs(row.change ?? 0)));
  return (
    <div class="cz-part" data-cz="writes">
      <h4 title="direct logit effect: what the unit adds to each logit, everything behind it left out, less what it adds on inputs of all kinds">
        Writes
        {found && <CopyPython code={found.python} />}
      </h4>
      <div class="cz-segments" role="group" aria-label="Where">
        {([[true, "here"], [false, "over its contexts"]] as const).map(([value, name]) => (
          <button key={name} type="button" aria-pressed={here === value} onClick={() => setHere(value)}>{name}</button>
        ))}
      </div>
      {failure && <p class="cz-faint"><b>Cannot be computed here.</b> {failure.message} {failure.hint}</p>}
      {!failure && !found && <p class="cz-faint">running the network …</p>}
      {found && (
        <div class="cz-writes">
          <Side title="raises" rows={found.raises} most={most} />
          <Side title="lowers" rows={found.lowers} most={most} />
        </div>
      )}
    </div>
  );
}

function Side({ title, rows, most }: { title: string; rows: Writes["raises"]; most: number }) {
  const store = useStore();
  const { classes } = store.trait("head");
  return (
    <div>
      <h5>{title}</h5>
      {rows.length === 0 && <p class="cz-faint">nothing</p>}
      {rows.map(({ token, change }) => (
        <div key={token} class={`cz-write${classes.includes(token) ? " cz-strong" : ""}`} title={`${token}: ${plain(change)} logits`}>
          <code>{token.trim() === "" ? "␣" : token}</code>
          <span class="cz-output-track" aria-hidden="true">
            <span class={`cz-write-bar${(change ?? 0) < 0 ? " cz-negative" : ""}`} style={{ width: `${(100 * Math.abs(change ?? 0)) / most}%` }} />
          </span>
          <span class="cz-bar-value">{(change ?? 0) < 0 ? "−" : "+"}{plain(Math.abs(change ?? 0))}</span>
        </div>
      ))}
    </div>
  );
}
