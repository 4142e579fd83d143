/** What the concept set labels: of what kind each is, who says so, and how many inputs show it. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { flush } from "../link/flush";
import { number, plural } from "../parts/format";
import { ICONS, Icon } from "../parts/marks";
import { KindChoice } from "./kind_choice";
import type { Coded, ConceptTable } from "./studio_payload";
import { useStore } from "./use_store";

const MOST_ROWS = 200;
const UNKNOWN = "unknown";
const SAID_BY = "person: on this screen, by command or in code · project: a lexicon file · shipped: circuitz's own lexicon · WordNet";

export function Concepts() {
  const store = useStore();
  const table = store.trait("concepts");
  const [text, setText] = useState("");
  const [only, setOnly] = useState<"all" | "unknown">("all");
  const [most, setMost] = useState(MOST_ROWS);
  const [asked, setAsked] = useState("");
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    store.focus.grid = () => box.current?.focus({ preventScroll: true });
  }, [store]);
  if (table.missing !== "") return <p class="cz-nothing">{table.missing}</p>;
  const rows = table.names.map((_, row) => row);
  const unknown = rows.filter((row) => textOf(table.kind, row) === UNKNOWN);
  const sought = text.trim().toLowerCase();
  const found = (only === "all" ? rows : unknown).filter((row) => table.names[row]?.toLowerCase().includes(sought));
  const shown = found.slice(0, most);
  /** Who said a kind is left at the row, or at the list where the row went. */
  const said = (row: number) => {
    setAsked("");
    flush();
    const button = box.current?.querySelector<HTMLElement>(`tr[data-row="${row}"] button`);
    (button ?? box.current)?.focus({ preventScroll: true });
  };
  return (
    <div class="cz-findings">
      <div class="cz-filters">
        <label class="cz-search">
          <Icon path={ICONS.search} />
          <input
            class="cz-input"
            type="text"
            placeholder="concept"
            aria-label="Search concepts"
            value={text}
            onInput={(event) => setText((event.target as HTMLInputElement).value)}
          />
        </label>
        <div class="cz-segments cz-kinds" role="group" aria-label="Kind">
          {([["all", rows.length], ["unknown", unknown.length]] as const).map(([key, count]) => (
            <button key={key} type="button" aria-pressed={only === key} onClick={() => setOnly(key)}>
              {key === "all" ? "all" : "unknown kind"} {number(count)}
            </button>
          ))}
        </div>
      </div>
      <div ref={box} class="cz-concepts" data-cz-list="concepts" role="region" aria-label="Concepts" tabIndex={0}>
        {shown.length === 0 ? (
          <p class="cz-nothing">{sought === "" ? "Every kind is known." : "No concept is called that."}</p>
        ) : (
          <table>
            <Head table={table} />
            <tbody>
              {shown.map((row) => {
                const name = table.names[row] ?? "";
                return (
                  <Row
                    key={name}
                    table={table}
                    row={row}
                    open={asked === name}
                    ask={() => setAsked(asked === name ? "" : name)}
                    said={() => said(row)}
                  />
                );
              })}
            </tbody>
          </table>
        )}
        {found.length > shown.length && (
          <p class="cz-more">
            {number(shown.length)} of {plural(found.length, "concept")}{" "}
            <button type="button" class="cz-link" onClick={() => setMost(most + MOST_ROWS)}>
              show more
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

function textOf(column: Coded, row: number): string {
  return column.texts[column.places[row] ?? -1] ?? "";
}

function Head({ table }: { table: ConceptTable }) {
  return (
    <thead>
      <tr>
        <th scope="col">concept</th>
        <th scope="col">kind</th>
        <th scope="col" title={SAID_BY}>said by</th>
        {table.counts.map(({ split }) => (
          <th key={split} scope="col" class="cz-counted" title="inputs labelled with it / without it; of the rest it is not known">
            {split} <small>shown / not</small>
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface RowProps {
  table: ConceptTable;
  row: number;
  open: boolean;
  ask: () => void;
  said: () => void;
}

function Row({ table, row, open, ask, said }: RowProps) {
  const { subject } = useStore().trait("head");
  const name = table.names[row] ?? "";
  const kind = textOf(table.kind, row);
  const from = textOf(table.kind_from, row);
  const above = textOf(table.is_a, row);
  const same = textOf(table.same_as, row);
  return (
    <>
      <tr data-row={row} data-kind={kind}>
        <th scope="row">
          {name}
          {same !== "" && <small>the same as {same}</small>}
          {above !== "" && <small>a kind of {above}</small>}
        </th>
        <td>
          {kind === UNKNOWN ? (
            <button type="button" class="cz-kind-asked" aria-expanded={open} aria-label={`${name}: kind unknown, say what this is`} onClick={ask}>
              <b>unknown</b> say what this is
            </button>
          ) : from === "person" ? (
            <>
              {kind}{" "}
              <button type="button" class="cz-link" aria-expanded={open} aria-label={`${name}: ${kind}, say otherwise`} onClick={ask}>
                change
              </button>
            </>
          ) : (
            kind
          )}
        </td>
        <td class="cz-faint">{kind === UNKNOWN ? "nobody" : from}</td>
        {table.counts.map(({ split, shown, not_shown }) => (
          <td key={split} class="cz-counted">
            <Count n={shown[row] ?? 0} /> <span class="cz-faint">/</span> <Count n={not_shown[row] ?? 0} />
          </td>
        ))}
      </tr>
      {open && (
        <tr>
          <td colSpan={3 + table.counts.length}>
            <div class="cz-kind-said">
              <span class="cz-fact">‘{name}’ is to {subject}:</span>
              <KindChoice concept={name} done={said} />
            </div>
          </td>
        </tr>
      )}
    </>
  );
}

/** None at all decides what can be claimed of it: it stands out from the figures. */
function Count({ n }: { n: number }) {
  return n === 0 ? <b>0</b> : <>{number(n)}</>;
}
