/** Letting a finding stand: who does, why, and how that is changed or taken back. */

import { useState } from "preact/hooks";
import { when } from "../parts/format";
import { useStore } from "./use_store";
import type { Decision, Finding } from "./studio_payload";

type Open = "" | "waive" | "unwaive";

/** The decision in force, and all that were taken before; nothing where nobody ever decided. */
export function Waived({ finding }: { finding: Finding }) {
  const [open, setOpen] = useState<Open>("");
  const { waiver, decided } = finding;
  const done = () => setOpen("");
  const flip = (form: Open) => setOpen(open === form ? "" : form);
  if (!waiver && decided.length === 0) return null;
  return (
    <div class="cz-waived" data-cz="waived">
      {waiver && (
        <>
          <p class="cz-decide">
            Waived by <b>{waiver.author}</b>: {waiver.reason}
          </p>
          <div class="cz-editor-row">
            <button type="button" class="cz-button" data-waiver="change" aria-expanded={open === "waive"} onClick={() => flip("waive")}>
              Change the reason …
            </button>
            <button type="button" class="cz-button" data-waiver="withdraw" aria-expanded={open === "unwaive"} onClick={() => flip("unwaive")}>
              Take it back …
            </button>
          </div>
          {open !== "" && <Waive key={open} finding={finding} withdraw={open === "unwaive"} done={done} />}
        </>
      )}
      {(decided.length > 1 || !waiver) && <Decisions decided={decided} />}
    </div>
  );
}

function Decisions({ decided }: { decided: Decision[] }) {
  return (
    <div>
      <h5>What was decided</h5>
      <ol class="cz-history" data-cz="decisions">
        {decided.map((row, i) => (
          <li key={decided.length - i} class={i === 0 && !row.withdrawn ? "cz-current" : ""}>
            <span class="cz-history-text">
              {row.withdrawn ? "taken back" : decided[i + 1] && !decided[i + 1]?.withdrawn ? "reason changed" : "waived"}
              {row.reason !== "" && `: ${row.reason}`}
            </span>
            <span class="cz-fact">
              {row.author} · <time dateTime={row.time}>{when(row.time)}</time>
              {i === 0 && !row.withdrawn && " · in force"}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

interface WaiveProps {
  finding: Finding;
  /** Take the waiver back, and not give or change one. */
  withdraw?: boolean;
  done: () => void;
}

/** A waiver needs a name and a reason, and both travel along when z is exported. */
export function Waive({ finding, withdraw = false, done }: WaiveProps) {
  const store = useStore();
  const before = withdraw ? "" : (finding.waiver?.reason ?? "");
  const [author, setAuthor] = useState(store.trait("head").author);
  const [reason, setReason] = useState(before);
  const said = reason.trim();
  const ready = author.trim() !== "" && (withdraw || (said !== "" && said !== before)) && !store.view.busy;
  const send = () => (withdraw ? store.unwaive(finding.id, author.trim(), said) : store.waive(finding.id, author.trim(), said));
  return (
    <form
      class="cz-waive"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) void send().then((ok) => ok && done());
      }}
    >
      <label>
        who
        <input class="cz-input" value={author} maxLength={80} onInput={(event) => setAuthor(event.currentTarget.value)} />
      </label>
      <label>
        {withdraw ? "why it is taken back, if you like" : "why it may stand"}
        <input class="cz-input" value={reason} maxLength={400} ref={focusOnce} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <button type="submit" class="cz-button cz-primary" data-once disabled={!ready}>
        {withdraw ? "Take it back" : before === "" ? "Waive" : "Change"}
      </button>
    </form>
  );
}

/** The same function at every drawing, so that the field is entered when it appears and not again. */
function focusOnce(element: HTMLInputElement | null): void {
  element?.focus();
}
