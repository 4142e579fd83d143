/** One node: click or Enter opens its unit, held down it is clamped. */

import { useStore } from "../studio/use_store";
import { share } from "../parts/format";
import type { Hold } from "./hold";
import type { GraphNode } from "../studio/studio_payload";

interface Props {
  node: GraphNode;
  target: string;
  style: Record<string, string>;
  current: boolean;
  held: boolean;
  near: boolean;
  marked: boolean;
  onMark: () => void;
  hold: Hold;
  onChoose: () => void;
}

/** The column says the layer; what is left tells units of a basis, or of a long name, apart. */
export function shortId(id: string): string {
  const [place, index] = [id.slice(0, id.lastIndexOf(":")), id.slice(id.lastIndexOf(":") + 1)];
  const last = place.includes("@") ? place.slice(place.indexOf("@") + 1) : place.slice(place.lastIndexOf(".") + 1);
  return `${/^\d*$/.test(last) ? place : last}:${index}`;
}

export function NodeBox({ node, target, style, current, held, near, marked, onMark, hold, onChoose }: Props) {
  const store = useStore();
  const unit = node.kind === "unit";
  const name = node.kind === "class" ? target : node.kind === "input" ? "tokens" : node.kind === "unexplained" ? "unexplained" : node.words || shortId(node.id);
  const count = node.members.length;
  const open = () => {
    onChoose();
    if (!unit || hold.swallow()) return;
    const shown = store.id(store.view.unit);
    if (!node.members.includes(shown)) store.open(node.members[0] ?? node.id);
  };
  const press = () => {
    onChoose();
    if (unit) hold.start(node);
  };
  const said = unit
    ? `${node.words || node.id}${count > 1 ? `, ${count} units` : node.words ? `, ${node.id}` : ""}, influence ${share(node.influence)}${marked ? ", marked" : ""}; hold Space to clamp it`
    : `${name}, ${share(node.influence)}`;
  return (
    <button
      type="button"
      class={`cz-node cz-node-${node.kind}${near ? " cz-near" : ""}${held ? " cz-held" : ""}${marked ? " cz-marked" : ""}`}
      style={style}
      tabIndex={current ? 0 : -1}
      aria-label={said}
      aria-pressed={held}
      title={count > 1 ? node.members.join(", ") : node.kind === "input" ? "the tokens, as heads of every block read them" : node.id}
      data-node={node.id}
      onClick={(event) => {
        if (event.shiftKey || event.ctrlKey || event.metaKey) {
          onChoose();
          onMark();
        } else {
          open();
        }
      }}
      onFocus={onChoose}
      onPointerDown={(event) => event.button === 0 && !event.shiftKey && !event.ctrlKey && !event.metaKey && press()}
      onPointerUp={() => hold.stop()}
      onPointerLeave={() => hold.stop(node.id)}
      onPointerCancel={() => hold.stop()}
      onKeyDown={(event) => {
        if (event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        if (!event.repeat && unit) hold.start(node, 0);
      }}
      onKeyUp={(event) => {
        if (event.key !== " ") return;
        event.preventDefault();
        hold.stop();
        hold.swallow(); // no click follows a key: the next Enter is meant
      }}
      onBlur={() => hold.stop(node.id)}
    >
      {marked && <span aria-hidden="true">✓</span>}
      <span class={`cz-node-name${unit && node.words === "" ? " cz-faint" : ""}`}>{name}</span>
      {count > 1 && <span class="cz-node-count">×{count}</span>}
      <span class="cz-node-bar" aria-hidden="true">
        <span style={{ width: `${Math.round(100 * Math.min(1, node.influence))}%` }} />
      </span>
    </button>
  );
}
