/** The labelling screen as anywidget mounts it. */

import { render as mount } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useKeptFocus } from "../parts/focus";
import { Card } from "./card";
import { LabellingContext, useLabelling } from "./use_labelling";
import { onLabellingKey } from "./answer_keys";
import { GridBody, WordScreenChoice } from "./grid";
import { onGridKey } from "./grid_keys";
import { Choices, Enter, Guidelines, Head, LabellingHelp, LabellingNotices, Nothing, Recent } from "./frame";
import { Activity } from "./activity";
import { Compare, Why } from "./compare";
import { useDraftFocus } from "./draft_focus";
import { Hypothesis } from "./hypothesis";
import { Picture, SeenList } from "./picture";
import type { LabellingModel } from "./labelling_payload";
import { LabellingStore } from "./labelling_store";

function Screen() {
  const store = useLabelling();
  const root = useRef<HTMLDivElement>(null);
  const filter = useRef<HTMLInputElement>(null);
  const { problem } = store.pack;
  const entered = store.rater !== "";
  const focus = {
    root: () => root.current?.focus({ preventScroll: true }),
    filter: () => (filter.current ?? root.current?.querySelector<HTMLElement>("[data-cz=written], [data-cz=note]"))?.focus(),
    offered: () => root.current?.querySelector<HTMLElement>(".cz-choice")?.focus(),
  };
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    const key = (event: KeyboardEvent) =>
      store.grid.shown && store.rater !== "" ? onGridKey(store, focus.root, event) : onLabellingKey(store, focus, event);
    const quiet = (event: Event) => event.stopPropagation();
    element.addEventListener("keydown", key);
    element.addEventListener("keyup", quiet);
    element.addEventListener("keypress", quiet);
    return () => {
      element.removeEventListener("keydown", key);
      element.removeEventListener("keyup", quiet);
      element.removeEventListener("keypress", quiet);
    };
  }, [store]);
  useDraftFocus(store, root);
  useKeptFocus(root);
  const ask = entered && !problem;
  return (
    <div ref={root} class="cz-studio cz-labelling" tabIndex={-1} data-lm-suppress-shortcuts="true" role="region" aria-label={`Labelling: ${store.pack.name}`}>
      {problem ? (
        <div class="cz-plate" role="alert" data-cz="problem">
          <div class="cz-enter">
            <h2>This cannot be shown</h2>
            <p>{problem.message}</p>
            <p>{problem.hint}</p>
            <p><code>{problem.code}</code></p>
          </div>
        </div>
      ) : (
        <>
          {ask && <Head />}
          <LabellingNotices />
          {!ask ? <Enter /> : store.grid.shown ? <GridBody /> : <Body filter={filter} />}
          {ask && !store.grid.shown && <Recent />}
        </>
      )}
      <LabellingHelp />
    </div>
  );
}

function Body({ filter }: { filter: { current: HTMLInputElement | null } }) {
  const store = useLabelling();
  const held = store.question(store.view.current);
  const shown = held !== undefined;
  const { card } = store.pack;
  const { refused } = store.view;
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // The picture that was not seen may be scrolled away.
    if (refused !== "") place.current?.scrollIntoView?.({ block: "nearest" });
  }, [refused]);
  return (
    <div class="cz-label-body" data-card={card.length > 0} data-screen={store.screen}>
      <div class="cz-label-left">
        <div ref={place} class={store.screen === "compare" || store.screen === "hidden" ? "cz-label-picture cz-pair-pane" : "cz-label-picture"} data-refused={refused !== ""}>
          {!shown ? <Nothing /> : store.screen === "compare" ? <Compare /> : store.screen === "hidden" ? <Activity /> : (
            <><Picture />{store.screen === "label" && card.length > 0 && <SeenList />}</>
          )}
          {/* Said aloud by the line of the notices: here it is for the eye. */}
          {refused !== "" && <p class="cz-refused" data-cz="refused" aria-hidden="true">{refused}</p>}
        </div>
        {shown && held.question.word !== "" && (
          <h3 class="cz-asks" data-cz="asks">Does this picture show <b>{held.question.word}</b>?</h3>
        )}
        {shown && held.question.asks !== undefined && <h3 class="cz-asks" data-cz="asks" dir="auto">{held.question.asks}</h3>}
        {shown && store.screen === "compare" && <Why />}
        {shown && (store.screen === "hypothesis" ? <Hypothesis /> : <Choices filter={filter} />)}
      </div>
      <div class="cz-label-right">
        <WordScreenChoice />
        <Guidelines />
        {card.length > 0 && <Card />}
      </div>
    </div>
  );
}

function render({ model, el }: { model: LabellingModel; el: HTMLElement }): () => void {
  const store = new LabellingStore(model);
  mount(
    <LabellingContext.Provider value={store}>
      <Screen />
    </LabellingContext.Provider>,
    el,
  );
  return () => {
    mount(null, el);
    store.close();
  };
}

export default { render };
