/** For each class: what it rests on, and how much of it nobody has words for. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { EffectBar } from "../parts/charts";
import { useStore } from "./use_store";
import { kindTitle, share } from "../parts/format";
import { VerdictMark } from "../parts/marks";
import type { Store } from "./store";

export function Classes() {
  const store = useStore();
  const list = useRef<HTMLDivElement>(null);
  const { classes } = store.trait("head");
  useLayoutEffect(() => {
    store.focus.grid = () => list.current?.querySelector<HTMLElement>("button")?.focus({ preventScroll: true });
  }, [store]);
  useEffect(() => {
    list.current?.querySelector('[aria-expanded="true"]')?.scrollIntoView({ block: "start" });
  }, [store.view.target]);
  if (classes.length === 0) return <p class="cz-nothing">This model has no named classes.</p>;
  return (
    <div ref={list} class="cz-classes" data-cz-list="classes">
      {classes.map((target) => (
        <Class key={target} target={target} />
      ))}
    </div>
  );
}

function Class({ target }: { target: string }) {
  const store = useStore();
  const open = store.view.target === target;
  const report = store.trait("report");
  const hidden = report.unexplained.find((item) => item.target === target);
  const about = report.findings.filter((f) => f.target.replace(/^output:/, "") === target);
  const worst = about.find((f) => !f.waiver);
  const list = useDrivers(store, target);
  return (
    <article class="cz-finding">
      <button type="button" class="cz-finding-head" aria-expanded={open} onClick={() => store.set({ target: open ? "" : target })}>
        {worst ? <VerdictMark verdict={worst.verdict} size={16} /> : <span class="cz-mark" />}
        <span>
          <span class="cz-finding-title">
            <b>{target}</b>
            {hidden && (
              <span class="cz-faint"> · {share(hidden.estimate)} unexplained ({share(hidden.low)} to {share(hidden.high)})</span>
            )}
          </span>
          <span class="cz-sentence">{inWords(store, list)}</span>
        </span>
      </button>
      {open && <Drivers target={target} />}
      {open && about.length > 0 && (
        <ul class="cz-involved">
          {about.slice(0, 5).map((finding) => (
            <li key={finding.id}>
              <button type="button" class={`cz-involved-item cz-${finding.verdict}`} onClick={() => store.goto(finding)}>
                <VerdictMark verdict={finding.verdict} />
                <span>
                  <b>{kindTitle(finding.kind, finding.verdict)}</b> {finding.sentence}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </article>
  );
}

/** Units that move the class most, strongest first; undefined while they are on their way. */
function useDrivers(store: Store, target: string): { row: number; values: [number, number, number] }[] | undefined {
  const { how } = store.view;
  const k = store.trait("effects").targets.indexOf(target);
  const found = store.drivers.of(target, how);
  useEffect(() => {
    void store.drivers.ask(target, how);
  }, [store, store.drivers, target, how]);
  return found?.largest.flatMap((row) => {
    const values = store.effect(row, k);
    return values ? [{ row, values }] : [];
  });
}

function inWords(store: Store, list: { row: number; values: [number, number, number] }[] | undefined): string {
  if (!list) return "…";
  const words = list
    .slice(0, 6)
    .filter(({ values }) => values[1] > 0)
    .map(({ row }) => store.word(row)?.text ?? "unnamed");
  const distinct = [...new Set(words)].slice(0, 4);
  return distinct.length === 0 ? "no single unit drives it" : `driven by ${distinct.join(", ")}`;
}

function Drivers({ target }: { target: string }) {
  const store = useStore();
  const { how } = store.view;
  const { delta } = store.trait("effects");
  const list = useDrivers(store, target);
  if (!list) return <p class="cz-faint cz-evidence">loading …</p>;
  if (list.length === 0) return <p class="cz-faint cz-evidence">Effects have not been measured.</p>;
  const reach = Math.max(delta * 1.6, ...list.flatMap(({ values }) => values.map(Math.abs)));
  return (
    <div class="cz-evidence">
      <div class="cz-segments" role="group" aria-label="Kind of effect">
        {(["sufficiency", "necessity"] as const).map((kind) => (
          <button key={kind} type="button" aria-pressed={how === kind} onClick={() => store.set({ how: kind })}>
            {kind}
          </button>
        ))}
      </div>
      {list.map(({ row, values }) => (
        <EffectBar
          key={row}
          name={`${store.word(row)?.text ?? "no words"} · ${store.id(row)}`}
          values={values}
          reach={reach}
          delta={delta}
          strong={row === store.view.unit}
          onClick={() => store.select(row)}
        />
      ))}
      <button type="button" class="cz-link" onClick={() => {
        store.set({ tab: "units" });
        store.filter({ target });
      }}>
        show them in the grid
      </button>
    </div>
  );
}
