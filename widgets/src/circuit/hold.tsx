/** Held units, and what the outputs say meanwhile. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../studio/use_store";
import { share } from "../parts/format";
import { ActionError } from "../link/link";
import type { GraphNode } from "../studio/studio_payload";
import type { Store } from "../studio/store";

const AFTER_MS = 220;
const MOST_BARS = 10;

interface Clamp {
  before: number[];
  after: number[];
  images: number;
  of: string;
}

export interface Hold {
  /** Id of the node that is held; empty when none is. */
  node: string;
  name: string;
  clamp: Clamp | null;
  /** Why nothing can be held here; empty when nothing is known to stand against it. */
  refused: string;
  start(node: GraphNode, after?: number): void;
  /** Lets go; of one node alone when it is named. */
  stop(id?: string): void;
  /** Whether the click that ends a hold is to be ignored. */
  swallow(): boolean;
}

export function useHold(store: Store): Hold {
  const [state, setState] = useState<{ node: string; name: string; clamp: Clamp | null; refused: string }>({ node: "", name: "", clamp: null, refused: "" });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const turn = useRef(0);
  const held = useRef(false);
  const pending = useRef("");
  const stop = (id?: string) => {
    if (id !== undefined && id !== pending.current) return;
    pending.current = "";
    clearTimeout(timer.current);
    turn.current++;
    setState((old) => (old.node === "" ? old : { ...old, node: "" }));
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const ask = async (node: GraphNode) => {
    const mine = ++turn.current;
    held.current = true;
    setState((old) => ({ ...old, node: node.id, name: node.words || node.id }));
    try {
      const reply = await store.link.request("clamp", { units: node.members });
      if (mine !== turn.current) return;
      const clamp = { before: reply.before, after: reply.after, images: reply.images, of: reply.of } as Clamp;
      setState((old) => ({ ...old, clamp, refused: "" }));
      store.say(`${node.words || node.id} is held: ${moves(store, clamp)}`);
    } catch (error) {
      if (!(error instanceof ActionError)) throw error;
      const refused = `${error.failure.message} ${error.failure.hint}`.trim();
      setState((old) => ({ ...old, node: "", clamp: null, refused }));
      store.say(refused);
    }
  };
  return {
    ...state,
    stop,
    start: (node, after = AFTER_MS) => {
      clearTimeout(timer.current);
      held.current = false;
      pending.current = node.id;
      timer.current = setTimeout(() => void ask(node), after);
    },
    swallow: () => {
      const was = held.current;
      held.current = false;
      return was;
    },
  };
}

function moves(store: Store, clamp: Clamp): string {
  const { classes } = store.trait("head");
  const found = classes.map((name, k) => [name, (clamp.after[k] ?? 0) - (clamp.before[k] ?? 0)] as const);
  found.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  return found.slice(0, 2).map(([name, by]) => `${name} ${by < 0 ? "falls" : "rises"} by ${share(Math.abs(by))}`).join(", ");
}

/** Which classes have a bar: of many the target and those that move most, in their order. */
export function listed(classes: string[], target: string, clamp: Pick<Clamp, "before" | "after">): number[] {
  const all = classes.map((_, k) => k);
  const by = (k: number) => (classes[k] === target ? Infinity : Math.abs((clamp.after[k] ?? 0) - (clamp.before[k] ?? 0)));
  if (all.length <= MOST_BARS) return all;
  return all.sort((a, b) => by(b) - by(a)).slice(0, MOST_BARS).sort((a, b) => a - b);
}

/** Mean probability of each class: as it is, and while a node is held. */
export function Outputs({ hold, target }: { hold: Hold; target: string }) {
  const store = useStore();
  const { classes } = store.trait("head");
  const { clamp } = hold;
  const active = hold.node !== "" && clamp !== null;
  if (hold.refused !== "") {
    return (
      <div class="cz-graph-outputs" data-cz="outputs">
        <p class="cz-fact"><b>Nothing can be held here.</b> {hold.refused}</p>
      </div>
    );
  }
  return (
    <div class={`cz-graph-outputs${active ? " cz-active" : ""}`} data-cz="outputs" data-held={active ? "true" : "false"}>
      <p class="cz-fact">
        {active && clamp ? (
          <>
            <b>{hold.name}</b> is held as on the inputs it responds to most: mean outputs over {clamp.images} inputs of the {clamp.of === "D" ? "training set" : clamp.of}
          </>
        ) : (
          <>Hold a node down (or <kbd>Space</kbd>) to clamp it and watch the outputs.</>
        )}
      </p>
      {clamp && (
        <div class="cz-outputs-bars">
          {listed(classes, target, clamp).map((k) => {
            const name = classes[k] ?? "";
            const before = clamp.before[k] ?? 0;
            const now = active ? (clamp.after[k] ?? 0) : before;
            return (
              <div key={name} class={`cz-output${name === target ? " cz-strong" : ""}`}>
                <span class="cz-class-name">{name}</span>
                <span class="cz-output-track" aria-hidden="true">
                  <span class="cz-output-now" style={{ width: `${100 * now}%` }} />
                  <span class="cz-output-before" style={{ left: `${100 * before}%` }} />
                </span>
                <span class="cz-class-share">{share(now)}</span>
              </div>
            );
          })}
        </div>
      )}
    </div>
  );
}
