/** The circuit of a class: what drives what, from the first layer to the class. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../studio/use_store";
import { share } from "../parts/format";
import { EditBar, useEditing } from "./edit";
import { GraphEmpty } from "./empty";
import { Outputs, useHold } from "./hold";
import { NodeBox } from "./node";
import { ROW, edgesShown, moved, placed } from "./layout";
import type { Placed } from "./layout";
import type { Circuit, GraphNode } from "../studio/studio_payload";

export function Graph() {
  const store = useStore();
  const { circuits, problem } = store.trait("graphs");
  const { classes } = store.trait("head");
  const known = classes.filter((name) => circuits[name]);
  const target = classes.includes(store.view.target) ? store.view.target : (known[0] ?? classes[0] ?? "");
  const circuit = circuits[target];
  const root = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    store.focus.grid = () => {
      const at = root.current?.querySelector<HTMLElement>('.cz-node[tabindex="0"]') ?? root.current?.querySelector<HTMLElement>("button");
      at?.focus({ preventScroll: true });
    };
  }, [store]);
  if (classes.length === 0) return <p class="cz-nothing">This model has no named classes.</p>;
  return (
    <div ref={root} class="cz-graph-pane" data-cz-list="graph">
      <div class="cz-filters cz-segments" role="group" aria-label="Class">
        {classes.map((name) => (
          <button key={name} type="button" aria-pressed={name === target} data-known={circuits[name] ? "true" : "false"} onClick={() => store.set({ target: name })}>
            {name}
          </button>
        ))}
      </div>
      {circuit ? <Drawn key={target} circuit={circuit} /> : <GraphEmpty target={target} problem={problem} />}
    </div>
  );
}

function Drawn({ circuit }: { circuit: Circuit }) {
  const store = useStore();
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(540);
  const [here, setHere] = useState<GraphNode | undefined>(undefined);
  const hold = useHold(store);
  const editing = useEditing(store, circuit);
  useEffect(() => {
    const element = box.current;
    if (!element || typeof ResizeObserver === "undefined") return undefined;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) setWidth(element.clientWidth);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const plan = placed(circuit, width);
  const current = whereIs(circuit, here);
  const setAt = (i: number) => setHere(circuit.nodes[i]);
  const { scores, stability } = circuit;
  const key = (event: KeyboardEvent) => {
    if (editing.key(event, circuit.nodes[current])) {
      // The same keys mean other things elsewhere on the screen.
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const next = moved(circuit, current, event.key);
    if (next === null) return;
    event.preventDefault();
    setAt(next);
    const target = box.current?.querySelectorAll<HTMLElement>(".cz-node")[next];
    target?.focus({ preventScroll: true });
    target?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
  };
  return (
    <>
      <p class="cz-graph-facts cz-fact">
        <span title="share of influence that can be followed back to units of the first layer">replacement <b>{share(scores.replacement)}</b></span>
        <span title="share of what works on a node that the edges account for, nodes weighted by influence">completeness <b>{share(scores.completeness)}</b></span>
        <span title="what these units of the cut bring about alone, run exactly">
          recovered <b>{share(scores.recovered)}</b> ({share(scores.recovered_low)} to {share(scores.recovered_high)})
        </span>
        {typeof scores.rest === "number" && (
          <span title="share of the effect that passes through what bases leave out of their layers: part of what is unexplained">left out by bases <b>{share(scores.rest)}</b></span>
        )}
        {typeof stability.exact === "number" && (
          <span title={`mean overlap of the strongest edges over resamples${typeof stability.eap_ig === "number" ? `; EAP-IG's ${share(stability.eap_ig)}` : ""}`}>stable <b>{share(stability.exact)}</b></span>
        )}
        {circuit.stale.length > 0 && <span class="cz-stale">stale: {circuit.stale.join(", ")} changed</span>}
      </p>
      <div ref={box} class="cz-graph" onKeyDown={key} role="group" aria-label={`Circuit of ${circuit.target}`}>
        <div class="cz-graph-sheet" style={{ width: `${plan.width}px`, height: `${plan.height}px` }}>
          {circuit.columns.map((name, i) => (
            <span key={name} class="cz-graph-column" style={{ left: `${plan.left(i)}px`, width: `${plan.node}px` }}>{name}</span>
          ))}
          <Edges circuit={circuit} plan={plan} at={current} />
          {circuit.nodes.map((node, i) => (
            <NodeBox
              key={node.id}
              node={node}
              target={circuit.target}
              style={{ left: `${plan.x[i]}px`, top: `${plan.y[i]}px`, width: `${plan.node}px` }}
              current={i === current}
              held={hold.node === node.id}
              marked={editing.marked.has(node.id)}
              onMark={() => editing.mark(node)}
              near={near(circuit, current, i)}
              hold={hold}
              onChoose={() => setAt(i)}
            />
          ))}
        </div>
      </div>
      <Told circuit={circuit} at={current} />
      <EditBar circuit={circuit} node={circuit.nodes[current]} editing={editing} />
      <Outputs hold={hold} target={circuit.target} />
    </>
  );
}

/** Where a node is now: edits give it another id, or put it together with others. */
function whereIs(circuit: Circuit, node: GraphNode | undefined): number {
  const same = circuit.nodes.findIndex((n) => n.id === node?.id);
  if (same >= 0) return same;
  const home = circuit.nodes.findIndex((n) => n.members.some((id) => node?.members.includes(id)));
  return home >= 0 ? home : Math.max(0, circuit.nodes.findIndex((n) => n.kind === "class"));
}

/** The strongest edges, and all of the node one looks at. */
function Edges({ circuit, plan, at }: { circuit: Circuit; plan: Placed; at: number }) {
  const drawn = edgesShown(circuit, at);
  const most = Math.max(0.01, ...circuit.edges.map((e) => Math.abs(e[2])));
  return (
    <svg class="cz-graph-edges" width={plan.width} height={plan.height} aria-hidden="true">
      {drawn.map((i) => {
        const [a, b, value] = circuit.edges[i] ?? [0, 0, 0, null, null];
        const [x, y, z, w] = [(plan.x[a] ?? 0) + plan.node, (plan.y[a] ?? 0) + ROW / 2 - 4, plan.x[b] ?? 0, (plan.y[b] ?? 0) + ROW / 2 - 4];
        const bend = Math.max(14, (z - x) / 2);
        const kind = circuit.nodes[a]?.kind === "unexplained" ? "cz-unknown" : value < 0 ? "cz-against" : "cz-for";
        return (
          <path
            key={i}
            class={`cz-edge ${kind}${a === at || b === at ? " cz-near" : ""}`}
            d={`M${x} ${y}C${x + bend} ${y} ${z - bend} ${w} ${z} ${w}`}
            stroke-width={(0.8 + (5.2 * Math.abs(value)) / most).toFixed(2)}
          />
        );
      })}
    </svg>
  );
}

/** In words what the lines show: what drives the node, strongest first. */
function Told({ circuit, at }: { circuit: Circuit; at: number }) {
  const store = useStore();
  const node = circuit.nodes[at];
  if (!node) return null;
  const into = circuit.edges.filter((e) => e[1] === at).sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]));
  const name = (i: number) => {
    const n = circuit.nodes[i];
    return n ? (n.kind === "unexplained" ? "what is not in the graph" : n.kind === "input" ? "the tokens" : n.words || n.id) : "";
  };
  const shown = edgesShown(circuit, -1).length;
  return (
    <div class="cz-graph-told" data-cz="graph-told">
      <p>
        <b>{node.kind === "class" ? circuit.target : name(at)}</b>{" "}
        <span class="cz-faint">
          {node.kind === "unit" ? `${share(node.influence)} of the effect on ${circuit.target} passes through it` : ""}
          {node.kind === "unexplained" ? `${share(node.influence)} of the effect on ${circuit.target} comes from here: pruned units, interactions${typeof circuit.scores.rest === "number" ? ", what bases leave out" : ""}` : ""}
          {node.kind === "input" ? `${share(node.influence)} of the effect on ${circuit.target} is what later heads and the class read straight from them` : ""}
          {node.kind === "class" ? `${circuit.units} of ${circuit.counts.units} units, ${shown} of ${circuit.edges.length} edges drawn` : ""}
        </span>
      </p>
      {into.length > 0 && (
        <p class="cz-fact">
          driven by{" "}
          {into.slice(0, 4).map((e, i) => (
            <span key={e[0]}>
              {i > 0 && ", "}
              {name(e[0])} {signed(e[2])}
              {e[3] !== null && e[4] !== null && <span class="cz-faint"> [{signed(e[3])}, {signed(e[4])}]</span>}
            </span>
          ))}
          {into.length > 4 && ` and ${into.length - 4} more`}
        </p>
      )}
      {node.members.length > 1 && (
        <div class="cz-members" role="group" aria-label="Units shown together">
          {node.members.slice(0, 18).map((id) => (
            <button key={id} type="button" class="cz-chip cz-unit-chip" aria-pressed={store.id(store.view.unit) === id} onClick={() => store.open(id)}>
              {id}
            </button>
          ))}
          {node.members.length > 18 && <span class="cz-fact">+{node.members.length - 18}</span>}
        </div>
      )}
    </div>
  );
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(Math.round(value * 100))} %`;
}

function near(circuit: Circuit, at: number, i: number): boolean {
  return i === at || circuit.edges.some((e) => (e[0] === at && e[1] === i) || (e[1] === at && e[0] === i));
}

