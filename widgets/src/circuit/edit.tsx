/** Which nodes are shown as one: marked, merged, renamed, split, and taken back. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../studio/use_store";
import { meantKey } from "../parts/keys";
import { plural } from "../parts/format";
import type { Circuit, GraphNode } from "../studio/studio_payload";
import type { Store } from "../studio/store";

type Naming = { edit: "merge" | "rename"; nodes: string[]; text: string } | null;

export interface Editing {
  marked: ReadonlySet<string>;
  naming: Naming;
  mark(node: GraphNode): void;
  clear(): void;
  /** Asks for the name of what will be one node. */
  merge(): void;
  rename(node: GraphNode): void;
  split(node: GraphNode): void;
  undo(): void;
  automatic(): void;
  write(text: string): void;
  /** Says yes to the name, or leaves it. */
  finish(yes: boolean): void;
  /** Whether a key was one of these. */
  key(event: KeyboardEvent, node: GraphNode | undefined): boolean;
}

const isSet = (node: GraphNode | undefined): node is GraphNode => node !== undefined && node.members.length > 1;

export function useEditing(store: Store, circuit: Circuit): Editing {
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [naming, setNaming] = useState<Naming>(null);
  const known = new Map(circuit.nodes.map((node) => [node.id, node]));
  const marked = new Set([...picked].filter((id) => known.has(id)));
  const act = async (edit: string, nodes: string[] = [], label = "") => {
    if (!(await store.regroup(circuit.target, edit, nodes, label))) return;
    setPicked(new Set());
    setNaming(null);
    store.focusOn("grid");
  };
  const editing: Editing = {
    marked,
    naming,
    mark: (node) => {
      if (node.kind !== "unit") return;
      const next = new Set(marked);
      if (!next.delete(node.id)) next.add(node.id);
      setPicked(next);
      store.say(`${node.words || node.id} is ${next.has(node.id) ? "marked" : "marked no more"}: ${plural(next.size, "node")}`);
    },
    clear: () => setPicked(new Set()),
    merge: () => {
      const nodes = [...marked];
      const words = nodes.map((id) => known.get(id)?.words ?? "").find((text) => text !== "") ?? "";
      if (nodes.length > 1) setNaming({ edit: "merge", nodes, text: words });
      else store.say("Mark two or more nodes first: m.");
    },
    rename: (node) => setNaming({ edit: "rename", nodes: [node.id], text: node.words }),
    split: (node) => void act("split", [node.id]),
    undo: () => void act("undo"),
    automatic: () => void act("automatic"),
    write: (text) => setNaming((old) => (old ? { ...old, text } : old)),
    finish: (yes) => {
      if (yes && naming && naming.text.trim() !== "") {
        void act(naming.edit, naming.nodes, naming.text);
      } else {
        setNaming(null);
        store.focusOn("grid");
      }
    },
    key: (event, node) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return false;
      const key = meantKey(event);
      if (event.repeat && /^[mgnsu]$/.test(key)) return true;
      if (key === "m" && node) editing.mark(node);
      else if (key === "g") editing.merge();
      else if (key === "n" && isSet(node)) editing.rename(node);
      else if (key === "s" && isSet(node)) editing.split(node);
      else if (key === "u" && circuit.undo) editing.undo();
      else if (event.key === "Escape" && marked.size > 0) editing.clear();
      else return false;
      return true;
    },
  };
  return editing;
}

/** What can be done with the nodes that are marked, or with the one that is looked at. */
export function EditBar({ circuit, node, editing }: { circuit: Circuit; node: GraphNode | undefined; editing: Editing }) {
  const store = useStore();
  const { marked, naming } = editing;
  if (naming) return <Name editing={editing} naming={naming} />;
  return (
    <div class="cz-graph-edit" role="group" aria-label="Nodes shown as one" data-cz="graph-edit">
      {marked.size > 0 ? (
        <>
          <span class="cz-fact">{plural(marked.size, "node")} marked</span>
          <button type="button" class="cz-button" disabled={marked.size < 2 || store.view.busy} title="show the marked nodes as one (g)" onClick={editing.merge}>
            Merge <kbd>g</kbd>
          </button>
          <button type="button" class="cz-button cz-quiet" title="mark none (Esc)" onClick={editing.clear}>clear</button>
        </>
      ) : (
        <>
          {node?.kind === "unit" && (
            <button type="button" class="cz-button" title="mark it, to merge it with others (m, or Shift and click)" onClick={() => editing.mark(node)}>
              Mark <kbd>m</kbd>
            </button>
          )}
          {isSet(node) && (
            <>
              <button type="button" class="cz-button" title="call these units otherwise (n)" onClick={() => editing.rename(node)}>
                Rename <kbd>n</kbd>
              </button>
              <button type="button" class="cz-button" data-once title="show its units by themselves (s)" onClick={() => editing.split(node)}>
                Split <kbd>s</kbd>
              </button>
            </>
          )}
        </>
      )}
      <span class="cz-space" />
      {circuit.undo && (
        <button type="button" class="cz-button" title="take the last edit of these sets back (u)" onClick={editing.undo}>
          Undo <kbd>u</kbd>
        </button>
      )}
      {circuit.automatic ? (
        <span class="cz-fact" title="units of a layer that share a concept, and annotated groups, are one node">grouped by concept</span>
      ) : (
        <button type="button" class="cz-button cz-quiet" data-once title="units that share a concept are one node again" onClick={editing.automatic}>by concept</button>
      )}
    </div>
  );
}

function Name({ editing, naming }: { editing: Editing; naming: NonNullable<Naming> }) {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  return (
    <form
      class="cz-graph-edit"
      data-cz="graph-name"
      onSubmit={(event) => {
        event.preventDefault();
        editing.finish(true);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        event.preventDefault();
        editing.finish(false);
      }}
    >
      <span class="cz-fact">{naming.edit === "merge" ? `${naming.nodes.length} nodes as` : "called"}</span>
      <input
        ref={input}
        class="cz-input cz-editor-text"
        aria-label="Name of the node"
        maxLength={200}
        value={naming.text}
        onInput={(event) => editing.write(event.currentTarget.value)}
      />
      <button type="submit" class="cz-button cz-primary" data-once disabled={naming.text.trim() === ""}>
        {naming.edit === "merge" ? "Merge" : "Rename"} <kbd>↵</kbd>
      </button>
      <button type="button" class="cz-button cz-quiet" onClick={() => editing.finish(false)}>cancel</button>
    </form>
  );
}
