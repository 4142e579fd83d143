/** The title strip: what is shown, what stands against it, what is left unexplained. */

import { useState } from "preact/hooks";
import type { Unexplained, Verdict } from "./studio_payload";
import { plural, share } from "../parts/format";
import { ICONS, Icon, VerdictMark } from "../parts/marks";
import { useStore } from "./use_store";

const VERDICTS: Verdict[] = ["flagged", "inconclusive", "supported"];
const MOST_CLASSES = 8;

export function Strip() {
  const store = useStore();
  const head = store.trait("head");
  const words = store.trait("words").length;
  return (
    <header class="cz-strip">
      <div class="cz-strip-row">
        <h2 class="cz-name" title={`annotated model (z), hash ${head.hash}`}>
          {head.name || "annotated model"}
        </h2>
        <code class="cz-hash" title="hash of weights, preprocessing and annotations">{head.hash.slice(0, 8)}</code>
        <span class="cz-fact" title="the layers at which every path to the output is read">
          cut {head.cut.join(", ") || "none"}
        </span>
        <span class="cz-fact">
          {plural(store.count, "unit")} · {words} annotated · {plural(head.classes.length, "class", "classes")}
        </span>
        {head.stale.length > 0 && (
          <span class="cz-stale" title="measure again: cz.measure(z, concept_set)">stale: {head.stale.join(", ")}</span>
        )}
        <span class="cz-space" />
        <Author />
        <Saved />
        <button
          type="button"
          class="cz-button cz-quiet"
          aria-label="Help: keys and words"
          title="Keys and words (?)"
          onClick={() => store.set({ help: true })}
        >
          <Icon path={ICONS.help} /> <kbd>?</kbd>
        </button>
      </div>
      <div class="cz-strip-row">
        <Summary />
        <span class="cz-space" />
        <UnexplainedBars />
      </div>
    </header>
  );
}

function Summary() {
  const store = useStore();
  const report = store.trait("report");
  if (report.missing !== "") return <span class="cz-fact">{report.missing}</span>;
  return (
    <button
      type="button"
      class="cz-summary"
      title="Findings, worst first (f)"
      onClick={() => store.next(1)}
      data-cz="summary"
    >
      {VERDICTS.map((verdict) => (
        <span key={verdict} class={`cz-verdict cz-${verdict}`}>
          <VerdictMark verdict={verdict} /> <b>{report.counts[verdict]}</b> {verdict}
        </span>
      ))}
      {report.waived > 0 && <span class="cz-fact">{report.waived} waived</span>}
    </button>
  );
}

/** Always there where plausibility is shown: what the annotated units do not account for. */
function UnexplainedBars() {
  const store = useStore();
  const all = store.trait("report").unexplained;
  if (all.length === 0) return null;
  const shown = [...all]
    .sort((a, b) => (b.estimate ?? 0) - (a.estimate ?? 0))
    .slice(0, MOST_CLASSES);
  return (
    <div class="cz-unexplained" role="group" aria-label="Unexplained effect by class">
      <span class="cz-fact" title="share of a class's effect that the annotated units of the cut do not recover">
        unexplained
      </span>
      {shown.map((item) => (
        <UnexplainedBar key={item.target} item={item} />
      ))}
      {all.length > shown.length && <span class="cz-fact">+{all.length - shown.length}</span>}
    </div>
  );
}

function UnexplainedBar({ item }: { item: Unexplained }) {
  const store = useStore();
  const span = `${share(item.low)} to ${share(item.high)}`;
  const at = (value: number | null): number => Math.min(1, Math.max(0, value ?? 0)) * 100;
  return (
    <button
      type="button"
      class="cz-class-pill"
      aria-label={`${item.target}: ${share(item.estimate)} unexplained, interval ${span}`}
      title={`${item.target}: ${share(item.estimate)} unexplained (${span})`}
      onClick={() => store.set({ tab: "classes", target: item.target })}
    >
      <span class="cz-class-name">{item.target}</span>
      <span class="cz-class-share">{share(item.estimate)}</span>
      <svg class="cz-class-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="cz-track" x="0" y="0" width="100" height="4" />
        <rect class="cz-fill" x="0" y="0" width={at(item.estimate)} height="4" />
        <rect class="cz-whisker" x={at(item.low)} y="1.5" width={at(item.high) - at(item.low)} height="1" />
      </svg>
    </button>
  );
}

function Saved() {
  const store = useStore();
  const head = store.trait("head");
  const drafts = store.drafts.size;
  if (store.view.link === "lost") return <span class="cz-saved cz-off" role="status">not connected</span>;
  if (store.view.busy) return <span class="cz-saved" role="status">writing …</span>;
  if (head.saved === "memory") {
    return (
      <span class="cz-saved cz-off" role="status" title="Nothing is written until you save: studio.z.save(path)">
        in memory only · <code>z.save(path)</code>
      </span>
    );
  }
  return (
    <span class="cz-saved" role="status" title={`on disk: ${head.path}`}>
      <Icon path={ICONS.check} /> saved{drafts > 0 ? ` · ${plural(drafts, "draft")}` : ""}
    </span>
  );
}

function Author() {
  const store = useStore();
  const { author } = store.trait("head");
  const [editing, setEditing] = useState(false);
  if (!editing) {
    return (
      <button
        type="button"
        class="cz-button cz-quiet"
        title="Your name, written with every edit"
        onClick={() => setEditing(true)}
      >
        {author === "" ? "who are you?" : author}
      </button>
    );
  }
  const finish = (event: Event) => {
    setEditing(false);
    const name = (event.target as HTMLInputElement).value.trim();
    if (name !== author) void store.rename(name);
  };
  return (
    <input
      class="cz-input cz-author"
      aria-label="Your name"
      value={author}
      ref={(element) => element?.focus()}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === "Enter") (event.target as HTMLInputElement).blur();
      }}
    />
  );
}
