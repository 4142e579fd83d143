/** Head, choices, the last ten answers, notices, help. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import { plural } from "../parts/format";
import { useLabelling } from "./use_labelling";
import { keysOf, MOST_KEYS } from "./answer_keys";
import { GRID_KEYS } from "./grid_keys";
import { answerName, choiceName } from "./judging";
import { usePicture } from "./picture";
import type { Given } from "./pile";
import { ICONS, Icon } from "../parts/marks";

export function Head() {
  const store = useLabelling();
  const { standing, rater } = store;
  const waiting = (store.outbox?.all ?? []).filter(({ op }) => op === "answer").length;
  const total = standing.answered + standing.left;
  const lost = store.view.link === "lost";
  return (
    <header class="cz-strip cz-label-head">
      <h2 class="cz-name">{store.pack.name}</h2>
      <div
        class="cz-progress"
        role="progressbar"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={standing.answered}
        aria-label="Your answers"
        data-cz="progress"
        title={`everybody together: ${standing.given} of ${standing.needed} answers`}
      >
        <span class="cz-progress-track"><span style={{ width: `${total > 0 ? (100 * standing.answered) / total : 0}%` }} /></span>
        <span><b>{standing.answered}</b> answered · {standing.left} left{standing.aside > 0 ? ` · ${standing.aside} set aside` : ""}</span>
      </div>
      <span class="cz-space" />
      <span class={`cz-saved ${waiting > 0 || lost ? "cz-off" : ""}`} data-cz="saved">
        {waiting > 0 ? (
          <>{lost ? `${plural(waiting, "answer")} kept on this page` : "saving …"}</>
        ) : (
          <><Icon path={ICONS.check} size={12} /> {standing.answered > 0 ? "all answers saved" : "saved as you go"}</>
        )}
      </span>
      <span class="cz-who">{rater}</span>
      <button type="button" class="cz-button cz-quiet" onClick={() => void store.leave()}>Not you?</button>
      <button type="button" class="cz-button cz-quiet" data-cz="keys" onClick={() => store.set({ help: true })}>
        Keys <kbd>?</kbd>
      </button>
    </header>
  );
}

export function Guidelines() {
  const store = useLabelling();
  const [first, ...rest] = store.pack.guidelines.split(/\n\s*\n/).map((p) => p.trim()).filter((p) => p !== "");
  return (
    <section class="cz-guidelines" aria-label="What to do" data-cz="guidelines" tabIndex={0}>
      <p><b>{first}</b></p>
      {rest.map((text, i) => <p key={i}>{text}</p>)}
    </section>
  );
}

export function Choices({ filter }: { filter: RefObject<HTMLInputElement> }) {
  const store = useLabelling();
  const { current } = store.view;
  const before = store.answer(current)?.choice;
  const { cannot, discard } = store.pack;
  const off = current === null;
  // Yes and no have keys of their own, wherever they stand.
  const press = (act: () => unknown) => (event: MouseEvent) => {
    if (!store.doubled(event.detail)) act();
  };
  const asked = (store.question(current)?.question.word ?? "") !== "";
  return (
    <div class="cz-choices" role="group" aria-label="What is it?" data-cz="choices">
      {store.options.length > MOST_KEYS && (
        <label class="cz-find">
          <Icon path={ICONS.search} />
          <input
            ref={filter}
            class="cz-input"
            data-cz="filter"
            type="text"
            value={store.view.filter}
            placeholder={`find one of ${store.options.length} classes`}
            aria-label="Find a class by name"
            onInput={(event) => store.set({ filter: event.currentTarget.value })}
          />
          <kbd>/</kbd>
        </label>
      )}
      <div class="cz-options" style={{ "--cz-columns": `${columns(store.offered)}` }}>
        {store.offered.map((name, i) => (
          <button key={name} type="button" class="cz-choice" data-choice={name} disabled={off} aria-pressed={before === name} onClick={press(() => store.choose(name))}>
            {i < MOST_KEYS && <kbd>{asked ? name.charAt(0) : i + 1}</kbd>}
            <span>{choiceName(store.screen, name)}</span>
            {before === name && <small>your answer</small>}
          </button>
        ))}
        {store.offered.length === 0 && <p class="cz-faint">No class of that name. <kbd>Esc</kbd> shows all.</p>}
      </div>
      <div class="cz-others">
        {[{ name: cannot, key: "0", text: "Cannot tell" }, { name: discard, key: "x", text: "Not usable" }].slice(0, store.screen === "label" ? 2 : 1).map(({ name, key, text }) => (
          <button key={key} type="button" class="cz-button" data-choice={name} disabled={off} aria-pressed={before === name} onClick={press(() => store.choose(name))}>
            <kbd>{key}</kbd> {text}{before === name && <small> · your answer</small>}
          </button>
        ))}
        <button type="button" class="cz-button" disabled={off || store.editing} onClick={press(() => store.later())}><kbd>l</kbd> Later</button>
        <span class="cz-space" />
        <button type="button" class="cz-button cz-quiet" disabled={store.given.length === 0} onClick={press(() => store.undo())}>
          <Icon path={ICONS.undo} /> Undo <kbd>Backspace</kbd>
        </button>
      </div>
    </div>
  );
}

/** Columns that fill their rows evenly: six choices are three and three, not four and two. */
export function columns(names: string[]): number {
  const most = names.some((name) => name.length > 12) ? 4 : 5;
  const rows = Math.ceil(names.length / most);
  return Math.max(1, Math.ceil(names.length / Math.max(1, rows)));
}

/** The last ten answers: any of them can be opened and changed. */
export function Recent() {
  const store = useLabelling();
  const list = useRef<HTMLOListElement>(null);
  const count = store.given.length;
  useEffect(() => {
    if (list.current) list.current.scrollLeft = list.current.scrollWidth;
  }, [count]);
  return (
    <nav class="cz-recent" aria-label="Your last answers" data-cz="recent">
      <span class="cz-faint">Last answers {count > 0 && <><kbd>←</kbd> <kbd>→</kbd></>}</span>
      {count === 0 ? (
        <span class="cz-faint">They appear here and can be changed.</span>
      ) : (
        <ol ref={list}>
          {store.given.map((given) => <Thumb key={given.id} given={given} />)}
        </ol>
      )}
      {store.editing && (
        <button type="button" class="cz-button" onClick={() => store.open(null)}>
          {store.upcoming.length > 0 ? `Next ${store.noun}` : "Done"} <kbd>Esc</kbd>
        </button>
      )}
    </nav>
  );
}

function Thumb({ given }: { given: Given }) {
  const store = useLabelling();
  const held = store.question(given.id);
  const url = usePicture(held);
  const open = store.view.current === given.id;
  const said = answerName(store.screen, given.choice, given.details);
  return (
    <li>
      <button
        type="button"
        class="cz-thumb"
        data-given={given.choice}
        data-saved={given.saved}
        aria-current={open ? "true" : undefined}
        disabled={!held}
        aria-label={`${said}${given.saved ? "" : ", not saved yet"}: change`}
        onClick={() => store.open(given.id)}
      >
        {url === "" ? <span class="cz-thumb-letter" data-letter={store.screen === "label" ? "" : said.charAt(0).toUpperCase()} aria-hidden="true" /> : <img src={url} alt="" draggable={false} />}
        <span>{said}</span>
        {!given.saved && <i title="not saved yet" aria-hidden="true">…</i>}
      </button>
    </li>
  );
}

export function LabellingNotices() {
  const store = useLabelling();
  const { link, notice, said } = store.view;
  const waiting = store.outbox?.length ?? 0;
  return (
    <div class="cz-notices">
      {link === "lost" && (
        <div class="cz-notice cz-error" role="alert" data-cz="lost">
          <span>
            <b>Connection lost.</b> You can go on: answers are kept on this page and saved as soon as it is back
            {waiting > 0 ? ` (${waiting} waiting)` : ""}. If it stays away, reload the page or run the cell again; what is kept here is sent then.
          </span>
          <button type="button" class="cz-button" onClick={() => void store.link.retry().catch(() => undefined)}>Try again</button>
        </div>
      )}
      {link === "slow" && (
        <div class="cz-notice" role="status" data-cz="slow"><span>The server is slow to answer. You can go on; nothing is lost.</span></div>
      )}
      {notice && (
        <div class="cz-notice cz-error" role="alert" data-cz="notice" data-code={notice.code}>
          <span><b>{notice.message}</b> {notice.hint} <code class="cz-code">{notice.code}</code></span>
          {waiting > 0 && <button type="button" class="cz-button" onClick={() => void store.flush()}>Try again</button>}
          <button type="button" class="cz-button cz-quiet" aria-label="Dismiss" onClick={() => store.set({ notice: null })}><Icon path={ICONS.close} /></button>
        </div>
      )}
      {store.editing && link !== "lost" && (
        <div class="cz-notice" data-cz="editing" role="status"><span><b>An earlier {store.noun}.</b> Choose again to change your answer, or press <kbd>Esc</kbd> to go on.{store.unsent && " What you changed here is not sent yet."}</span></div>
      )}
      <div class="cz-said" aria-live="polite" data-cz="said">{said}</div>
    </div>
  );
}

/** Who is labelling: asked when nobody said so. */
export function Enter() {
  const store = useLabelling();
  const [name, setName] = useState(store.remembered);
  const input = useRef<HTMLInputElement>(null);
  // With the field, not after the next paint: a key pressed in between would be lost.
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  return (
    <div class="cz-plate">
      <form
        class="cz-enter"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "") void store.enter(name.trim());
        }}
      >
        <h2>{store.pack.name}</h2>
        <p class="cz-faint">{store.pack.guidelines.split(/\n\s*\n/)[0]}</p>
        <label>
          Your name, or any name you will keep
          <input ref={input} class="cz-input" data-cz="name" maxLength={80} autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <p class="cz-note">It is stored with your answers. Under the same name you go on where you stopped.</p>
        <button type="submit" class="cz-button cz-primary" disabled={store.view.busy || name.trim() === ""}>
          {store.view.busy ? "Opening …" : name !== "" && name === store.remembered ? "Go on" : "Start"} <kbd>Enter</kbd>
        </button>
      </form>
    </div>
  );
}

/** Where the picture would be, when there is none. */
export function Nothing() {
  const store = useLabelling();
  const { standing } = store;
  const waiting = store.outbox?.length ?? 0;
  if (waiting > 0) {
    return (
      <div class="cz-nothing-left" data-cz="held" role="status">
        <h3>That is all this page holds for now</h3>
        <p>{plural(waiting, "answer")} wait to be saved. The next {store.noun} comes with the connection.</p>
      </div>
    );
  }
  if (standing.left > 0) return <div class="cz-nothing-left" data-cz="fetching" role="status"><p class="cz-faint">The next {store.noun} is on its way …</p></div>;
  if (standing.elsewhere > 0) {
    const back = new Date(standing.returns * 1000);
    return (
      <div class="cz-nothing-left" data-cz="waiting" role="status">
        <h3>Nothing for you at the moment</h3>
        <p>
          {plural(standing.elsewhere, `${store.noun} is`, `${store.noun}s are`)} with other people now. What they leave comes here by itself, from{" "}
          {back.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })} on. You may leave the page open.
        </p>
      </div>
    );
  }
  return (
    <div class="cz-nothing-left" data-cz="done" role="status">
      <Icon path={ICONS.check} size={40} />
      <h3>Done. Thank you, {store.rater}.</h3>
      <p>
        You gave {plural(standing.answered, "answer")}; all are saved. {standing.given < standing.needed ? "Others go on with the rest." : `Every ${store.noun} has all its answers.`}
        {store.given.length > 0 && (store.grid.shown ? " The last page can still be taken back below." : " Your last ones can still be changed below.")}
      </p>
    </div>
  );
}

export function LabellingHelp() {
  const store = useLabelling();
  const close = useRef<HTMLButtonElement>(null);
  const { help } = store.view;
  useLayoutEffect(() => {
    if (help) close.current?.focus();
  }, [help]);
  if (!help) return null;
  const leave = () => store.set({ help: false });
  return (
    <div class="cz-veil" onClick={leave}>
      <div class="cz-help" role="dialog" aria-modal="true" aria-label="Keys" onClick={(event) => event.stopPropagation()}>
        <h3>Keys</h3>
        <dl class="cz-pairs cz-keys">
          {(store.grid.shown ? GRID_KEYS : keysOf(store.screen)).map(([key, what]) => (
            <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>
          ))}
        </dl>
        <button ref={close} type="button" class="cz-button cz-primary" onClick={leave}>Close <kbd>Esc</kbd></button>
      </div>
    </div>
  );
}
