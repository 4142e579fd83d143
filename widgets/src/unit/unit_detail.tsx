/** Everything about the selected unit, exemplars first. */

import { useEffect, useState } from "preact/hooks";
import type { Sheets } from "../pictures/sprite_sheets";
import { EffectBar, Histogram, MatchBar, changed } from "../parts/charts";
import { useStore } from "../studio/use_store";
import { InContext } from "../pictures/token_contexts";
import { blames, worstOf } from "../studio/derive";
import { Editor } from "./editor";
import { Exemplars } from "../pictures/exemplars";
import { effect, kindTitle, plural, share, when } from "../parts/format";
import { VerdictMark, Words } from "../parts/marks";
import { Later, Part } from "../parts/panels";
import type { Finding } from "../studio/studio_payload";
import { NeighboursPart, QualityPart, Statistics } from "./unit_responses";
import { VisualsPart } from "./live_visuals";
import { WordVerdicts } from "./word_verdicts";

/** The claim about the unit's own words, shown whatever its verdict. */
const OF_WORDS = "mislabelled-unit";

export function Inspector({ sheets }: { sheets: Sheets }) {
  const store = useStore();
  const { unit } = store.view;
  const [picked, setPicked] = useState({ unit, rank: 0 });
  const rank = picked.unit === unit ? picked.rank : 0;
  const detail = store.detail();
  useEffect(() => {
    void store.library.ask(store.id(unit));
  }, [store, unit]);
  if (unit < 0) return <section class="cz-inspector cz-nothing">Choose a unit to look at it.</section>;
  const id = store.id(unit);
  const word = store.word(unit);
  const drive = store.drive(unit);
  const worst = worstOf(store.data.findings.get(unit) ?? []);
  return (
    <section class="cz-inspector" aria-label={`Unit ${id}`} data-unit={id}>
      <div class="cz-inspector-head">
        <h3>
          <code>{id}</code>
          {word ? <Words text={word.text} kind={word.kind} /> : <span class="cz-faint">no words yet</span>}
        </h3>
        <span class="cz-fact">
          {worst && (
            <span class={`cz-verdict cz-${worst.verdict}`}>
              <VerdictMark verdict={worst.verdict} /> {worst.verdict}
            </span>
          )}
          {drive && ` drives ${drive.target} ${effect(drive.estimate)}`}
        </span>
      </div>
      <Exemplars sheets={sheets} rank={rank} onRank={(next) => setPicked({ unit, rank: next })} />
      <Editor key={id} unit={id} />
      <WordVerdicts />
      {detail && <InContext detail={detail} rank={rank} />}
      <Involved />
      <div class="cz-two">
        <div>
          <EffectsPart />
          <NeighboursPart />
        </div>
        <div>
          <MatchPart />
          <ResponsePart />
          <QualityPart />
        </div>
      </div>
      <VisualsPart />
      <HistoryPart />
    </section>
  );
}

/** Findings that name this unit; a click opens the evidence. What is supported takes one line. */
function Involved() {
  const store = useStore();
  const findings = store.data.findings.get(store.view.unit) ?? [];
  if (findings.length === 0) return null;
  const open = findings.filter((f) => (f.verdict !== "supported" && blames(f)) || f.kind === OF_WORDS);
  const rest = findings.filter((f) => !open.includes(f));
  return (
    <ul class="cz-involved" aria-label="Findings about this unit">
      {open.map((finding) => (
        <Item key={finding.id} finding={finding} />
      ))}
      {rest.length > 0 && (
        <li>
          <Later title={`${plural(rest.length, "more claim")} it takes part in`}>
            {() => (
              <ul class="cz-involved">
                {rest.map((finding) => (
                  <Item key={finding.id} finding={finding} />
                ))}
              </ul>
            )}
          </Later>
        </li>
      )}
    </ul>
  );
}

function Item({ finding }: { finding: Finding }) {
  const store = useStore();
  return (
    <li>
      <button type="button" class={`cz-involved-item cz-${finding.verdict}`} title={finding.sentence} onClick={() => store.goto(finding)}>
        <VerdictMark verdict={finding.verdict} />
        <span>
          <b>{kindTitle(finding.kind, finding.verdict)}</b>{" "}
          <span class="cz-faint">· {finding.waiver ? "waived" : finding.verdict} ·</span> {finding.sentence}
        </span>
      </button>
    </li>
  );
}

function EffectsPart() {
  const store = useStore();
  const { how, unit } = store.view;
  const { targets, delta, split } = store.trait("effects");
  const values = targets.map((_, k) => store.effect(unit, k));
  if (!store.rows.known(unit)) return <Waiting title="Effects" />;
  if (values.every((value) => value === null)) {
    return (
      <Part title="Effects">
        <p class="cz-faint">
          {store.trait("head").missing ||
            (store.id(unit).includes("@")
              ? "Not measured here: a circuit drawn in this basis tells what its directions drive."
              : "Not measured: this unit lies outside the cut.")}
        </p>
      </Part>
    );
  }
  const reach = Math.max(delta * 1.6, ...values.flatMap((v) => (v ? v.map(Math.abs) : [])));
  const strongest = Math.max(...values.map((v) => Math.abs(v?.[0] ?? 0)));
  const most = targets[values.findIndex((v) => Math.abs(v?.[0] ?? 0) === strongest)] ?? "";
  return (
    <Part
      title="Effects"
      hint="in shares of what resampling the whole cut does to the class; the band is ±δ"
      python={`cz.effect(z, "${store.id(unit)}", "output:${most}", intervention="${how}")`}
    >
      <div class="cz-segments" role="group" aria-label="Kind of effect">
        {(["sufficiency", "necessity"] as const).map((kind) => (
          <button
            key={kind}
            type="button"
            aria-pressed={how === kind}
            title={kind === "sufficiency" ? "clamping the unit alone raises the class" : "removing the unit lowers the class"}
            onClick={() => store.set({ how: kind })}
          >
            {kind}
          </button>
        ))}
      </div>
      {targets.map((target, k) => (
        <EffectBar
          key={target}
          name={target}
          values={values[k] ?? null}
          reach={reach}
          delta={delta}
          strong={Math.abs(values[k]?.[0] ?? 0) === strongest}
        />
      ))}
      <p class="cz-note">{split} split · 95 % intervals · shaded ±{share(delta)}</p>
    </Part>
  );
}

function MatchPart() {
  const store = useStore();
  const detail = store.detail();
  if (!detail) return <Waiting title="Matches" />;
  if (detail.matches.length === 0) return null;
  const first = detail.matches[0] ? changed(detail.matches[0]) : "";
  return (
    <Part title="Matches" hint="normalised AUPRC of the unit's response against each concept's labels, test split">
      {detail.matches.slice(0, 5).map((match) => (
        <MatchBar key={match.concept} match={match} />
      ))}
      {first !== "" && <p class="cz-note" data-paired>{first}</p>}
    </Part>
  );
}

function ResponsePart() {
  const store = useStore();
  const detail = store.detail();
  const histogram = detail?.histogram;
  if (!detail || !histogram) return null;
  return (
    <Part title="Responses" hint="largest value on each image of the concept set; heights are square roots">
      <Histogram counts={histogram.counts} edges={histogram.edges} threshold={histogram.threshold} />
      <Statistics detail={detail} />
    </Part>
  );
}

function Waiting({ title }: { title: string }) {
  return (
    <Part title={title}>
      <p class="cz-faint">loading …</p>
    </Part>
  );
}

function HistoryPart() {
  const store = useStore();
  const history = store.detail()?.history ?? [];
  if (history.length === 0) return null;
  return (
    <Part title={`History · ${plural(history.length, "entry", "entries")}`}>
      <ol class="cz-history">
        {history.map((entry) => (
          <li key={entry.id} class={entry.current ? "cz-current" : ""}>
            <span class="cz-history-text">
              {entry.what === "wrote" ? <Words text={entry.text} kind={entry.kind} /> : <span class="cz-faint">{entry.what} {entry.text && `“${entry.text}”`}</span>}
            </span>
            <span class="cz-fact">
              {entry.author || entry.kind} · <time dateTime={entry.time}>{when(entry.time)}</time>
              {entry.current && " · in force"}
            </span>
          </li>
        ))}
      </ol>
    </Part>
  );
}
