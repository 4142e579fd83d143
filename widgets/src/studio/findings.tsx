/** Claims tested, worst first; an open one shows all it rests on. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Interval } from "../parts/charts";
import { useStore } from "./use_store";
import { effect, kindTitle, plain, plural, probability, score, share } from "../parts/format";
import { CopyPython, Later } from "../parts/panels";
import { Verdicted, VerdictMark } from "../parts/marks";
import { KindChoice } from "./kind_choice";
import { Waive, Waived } from "./waivers";
import type { Finding, Remedy, Verdict } from "./studio_payload";

const MOST_UNITS = 14;
const MOST_KINDS = 8;
/** A share held against a bound from above, not a change held against ±δ. */
const BOUNDED = "unexplained-effect";
/** A question that a gauge raises: nothing was tested, so there is no interval, and no family. */
const ASKED = "outside-range";

export function Findings() {
  const store = useStore();
  const report = store.trait("report");
  const [only, setOnly] = useState<Verdict | "all">("all");
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    store.focus.grid = () => {
      const open = list.current?.querySelector<HTMLElement>('[aria-expanded="true"]');
      (open ?? list.current?.querySelector<HTMLElement>(".cz-finding-head"))?.focus({ preventScroll: true });
    };
  }, [store]);
  useEffect(() => {
    const open = list.current?.querySelector<HTMLElement>('[aria-expanded="true"]');
    open?.scrollIntoView({ block: "nearest" });
    const active = document.activeElement;
    // Who writes into a form of a finding already is not taken out of it.
    if (open && list.current?.contains(active) && !active?.closest("form")) open.focus({ preventScroll: true });
  }, [store.view.finding]);
  if (report.missing !== "") return <p class="cz-nothing">{report.missing}</p>;
  const shown = report.findings.filter((f) => only === "all" || f.verdict === only || f.id === store.view.finding);
  const total = report.counts.flagged + report.counts.inconclusive + report.counts.supported;
  return (
    <div class="cz-findings">
      <div class="cz-filters cz-segments" role="group" aria-label="Verdict">
        {(["all", "flagged", "inconclusive", "supported"] as const).map((key) => (
          <button key={key} type="button" aria-pressed={only === key} onClick={() => setOnly(key)}>
            {key !== "all" && <VerdictMark verdict={key} size={12} />} {key} {key === "all" ? total : report.counts[key]}
          </button>
        ))}
      </div>
      <div
        ref={list}
        class="cz-finding-list"
        data-cz-list="findings"
        onKeyDown={(event) => step(event, list.current)}
      >
        {report.problems.map(({ code, message, hint, concepts }) => (
          <div key={code} class="cz-fact cz-report-problem" data-problem={code}>
            <p><b>{message}</b> {hint} <code>{code}</code></p>
            {concepts.slice(0, MOST_KINDS).map((concept) => (
              <div key={concept} class="cz-say-kind">
                <b>{concept}</b> <KindChoice concept={concept} />
              </div>
            ))}
            {concepts.length > MOST_KINDS && (
              <p>
                and {concepts.length - MOST_KINDS} more, when these are said, or under{" "}
                <button type="button" class="cz-link" onClick={() => store.set({ tab: "concepts" })}>Concepts</button>
              </p>
            )}
          </div>
        ))}
        {shown.length === 0 && <p class="cz-nothing">Nothing {only === "all" ? "was tested yet" : only}.</p>}
        {shown.map((finding) => (
          <Item key={finding.id} finding={finding} />
        ))}
        {report.unlisted > 0 && (
          <p class="cz-fact">and {report.unlisted} more supported: <code>report.findings</code></p>
        )}
      </div>
    </div>
  );
}

/** Up and down go from claim to claim. */
function step(event: KeyboardEvent, list: HTMLElement | null): void {
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (way === undefined || !list) return;
  const heads = [...list.querySelectorAll<HTMLElement>(".cz-finding-head")];
  const at = heads.indexOf(event.target as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  heads[at + way]?.focus();
}

function Item({ finding }: { finding: Finding }) {
  const store = useStore();
  const open = store.view.finding === finding.id;
  return (
    <article class={`cz-finding cz-${finding.verdict}`} data-finding={finding.kind} data-verdict={finding.verdict} data-id={finding.id}>
      <button
        type="button"
        class="cz-finding-head"
        aria-expanded={open}
        onClick={() => (open ? store.set({ finding: "" }) : store.goto(finding))}
      >
        <VerdictMark verdict={finding.verdict} size={16} />
        <span>
          <span class="cz-finding-title">
            <b>{kindTitle(finding.kind, finding.verdict)}</b>
            {finding.target !== "" && <span> · {finding.target.replace(/^output:/, "")}</span>}
            <span class="cz-faint"> · {finding.waiver ? "waived" : finding.verdict}</span>
          </span>
          <span class="cz-sentence">{finding.sentence}</span>
        </span>
      </button>
      {open && <Evidence finding={finding} />}
    </article>
  );
}

function Evidence({ finding }: { finding: Finding }) {
  const [low, high] = finding.ci;
  // Effects are shares of a class's whole effect; matches are scores and stay plain numbers.
  const format = finding.target === "" ? score : effect;
  const bound = finding.kind === BOUNDED;
  const copy = finding.python !== "" && <CopyPython code={finding.python} />;
  return (
    <div class="cz-evidence">
      {finding.kind === ASKED ? (
        <p class="cz-figures">
          <Verdicted verdict={finding.verdict} /> {share(finding.estimate)} of what drives the class lies outside; it is asked from{" "}
          {share(finding.delta)} on
          {copy}
        </p>
      ) : (
        <>
          <Interval
            estimate={finding.estimate}
            low={low}
            high={high}
            delta={finding.delta}
            label={kindTitle(finding.kind, finding.verdict)}
            format={format}
            bounded={bound}
          />
          <p class="cz-figures">
            <Verdicted verdict={finding.verdict} /> {format(finding.estimate)} [{format(low)}, {format(high)}] against{" "}
            {bound ? "the bound" : "δ ="} {format === effect ? share(finding.delta) : plain(finding.delta)} · q {probability(finding.q)}
            {finding.n > 0 && ` · n = ${finding.n}`} · {plural(finding.family, "claim")} tested together
            {finding.power !== null && ` · power ${share(finding.power)}`}
            {copy}
          </p>
        </>
      )}
      {finding.decide !== "" && <p class="cz-decide">What would decide it: {finding.decide}</p>}
      <Pictures finding={finding} />
      <Members finding={finding} />
      {finding.chain.length > 0 && (
        <div>
          <h5>Prior knowledge</h5>
          <ol class="cz-chain">
            {finding.chain.map((line, i) => (
              <li key={i}>{line}</li>
            ))}
          </ol>
        </div>
      )}
      <Waived finding={finding} />
      <Remedies finding={finding} />
    </div>
  );
}

/** Each picture shows one image before and after, or that a gauge asks about; the first says it, the others confirm. */
function Pictures({ finding }: { finding: Finding }) {
  const [first, ...rest] = finding.pictures;
  if (first === undefined) return null;
  return (
    <div class="cz-pictures">
      <Picture hash={first} finding={finding} />
      {rest.length > 0 && (
        <Later title={`${plural(rest.length, "more picture")}`}>
          {() => rest.map((hash) => <Picture key={hash} hash={hash} finding={finding} />)}
        </Later>
      )}
    </div>
  );
}

function Picture({ hash, finding }: { hash: string; finding: Finding }) {
  const store = useStore();
  const url = store.library.picture(hash);
  const shows = finding.kind === ASKED ? "inputs on which units lie outside" : "before and after the intervention";
  return url ? <img src={url} alt={`${shows}: ${finding.sentence}`} /> : <div class="cz-picture-wait" />;
}

function Members({ finding }: { finding: Finding }) {
  const store = useStore();
  if (finding.units.length === 0) return null;
  return (
    <div class="cz-members" role="group" aria-label="Units of this finding">
      {finding.units.slice(0, MOST_UNITS).map((id) => (
        <button
          key={id}
          type="button"
          class="cz-chip cz-unit-chip"
          aria-pressed={store.id(store.view.unit) === id}
          onClick={() => store.open(id)}
        >
          {id}
        </button>
      ))}
      {finding.units.length > MOST_UNITS && <span class="cz-fact">+{finding.units.length - MOST_UNITS}</span>}
    </div>
  );
}

function Remedies({ finding }: { finding: Finding }) {
  const store = useStore();
  const [shown, setShown] = useState("");
  const waivable = finding.verdict === "flagged" && !finding.waiver;
  if (finding.waiver) return null;
  const run = (remedy: Remedy) => {
    const { unit, text } = remedy.arguments;
    if (typeof unit === "string" && remedy.action === "annotate") void store.annotate(unit, String(text), 1);
    else if (typeof unit === "string" && remedy.action === "retract") void store.annotate(unit, "", 1);
    else setShown(shown === remedy.label ? "" : remedy.label);
  };
  const offered = finding.remedies.filter(({ action }) => action !== "waive");
  if (offered.length === 0 && !waivable) return null;
  const chosen = offered.find(({ label }) => label === shown);
  const command = chosen?.command ?? "";
  return (
    <div class="cz-remedies">
      <div class="cz-editor-row">
        {offered.map((remedy) => (
          <button key={remedy.label} type="button" class="cz-button" data-once data-remedy={remedy.action} onClick={() => run(remedy)}>
            {remedy.label}
          </button>
        ))}
        {waivable && (
          <button type="button" class="cz-button" data-remedy="waive" aria-expanded={shown === "waive"} onClick={() => setShown(shown === "waive" ? "" : "waive")}>
            Let it stand …
          </button>
        )}
      </div>
      {chosen?.action === "kind" && (
        <KindChoice concept={String(chosen.arguments.concept)} done={() => setShown("")} />
      )}
      {command !== "" && (
        <p class="cz-command">
          <code>{command}</code> <CopyPython code={command} />
        </p>
      )}
      {shown === "waive" && <Waive finding={finding} done={() => setShown("")} />}
    </div>
  );
}
