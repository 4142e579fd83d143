/** The screen as anywidget mounts it. */

import { render as mount } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef } from "preact/hooks";
import { Sheets } from "../pictures/sprite_sheets";
import { Classes } from "./classes";
import { Concepts } from "./concepts";
import { StoreContext, useStore } from "./use_store";
import { Findings } from "./findings";
import { useKeptFocus } from "../parts/focus";
import { number } from "../parts/format";
import { Graph } from "../circuit/circuit_view";
import { firstClickOnly } from "../parts/once";
import { Grid, layout } from "./grid";
import { Help } from "./help";
import { Inspector } from "../unit/unit_detail";
import { onKey } from "./keys";
import { Notices } from "./notices";
import type { Model } from "./studio_payload";
import { Store } from "./store";
import type { Tab } from "./view";
import { Strip } from "./title_strip";

const STALE_AFTER_MS = 10_000;

function Studio() {
  const store = useStore();
  const root = useRef<HTMLDivElement>(null);
  const sheets = useRef(new Sheets((images) => store.thumbnails(images), store.fail)).current;
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const atlas = store.trait("atlas");
  useEffect(() => sheets.load(atlas, () => redraw(undefined)), [sheets, atlas]);
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    const key = (event: KeyboardEvent) => onKey(store, () => layout.columns, event);
    const quiet = (event: Event) => event.stopPropagation();
    element.addEventListener("click", firstClickOnly, true);
    element.addEventListener("keydown", key);
    element.addEventListener("keyup", quiet);
    element.addEventListener("keypress", quiet);
    return () => {
      element.removeEventListener("click", firstClickOnly, true);
      element.removeEventListener("keydown", key);
      element.removeEventListener("keyup", quiet);
      element.removeEventListener("keypress", quiet);
    };
  }, [store]);
  useFreshness(store);
  useKeptFocus(root);
  const head = store.trait("head");
  return (
    <div
      ref={root}
      class="cz-studio"
      tabIndex={-1}
      data-lm-suppress-shortcuts="true"
      role="region"
      aria-label={`Studio: ${head.name}`}
    >
      <Strip />
      <Notices />
      {head.missing !== "" && (
        <p class="cz-missing" data-cz="missing">
          <b>Not measured.</b> {head.missing}
        </p>
      )}
      <div class="cz-body">
        <div class="cz-left">
          <Tabs />
          <div class="cz-panel" role="tabpanel" id={`${store.prefix}-panel`} aria-labelledby={`${store.prefix}-tab-${store.view.tab}`}>
            {store.view.tab === "units" && <Grid sheets={sheets} />}
            {store.view.tab === "findings" && <Findings />}
            {store.view.tab === "classes" && <Classes />}
            {store.view.tab === "graph" && <Graph />}
            {store.view.tab === "concepts" && <Concepts />}
          </div>
        </div>
        <Inspector sheets={sheets} />
      </div>
      <Help />
    </div>
  );
}

function Tabs() {
  const store = useStore();
  const report = store.trait("report");
  const tabs: [Tab, string, number][] = [
    ["units", "Units", store.count],
    ["findings", "Findings", report.findings.length + report.unlisted],
    ["classes", "Classes", store.trait("head").classes.length],
    ["graph", "Circuits", Object.keys(store.trait("graphs").circuits).length],
    ["concepts", "Concepts", store.trait("concepts").names.length],
  ];
  return (
    <div class="cz-tabs" role="tablist" aria-label="Lists">
      {tabs.map(([tab, name, count], i) => (
        <button
          key={tab}
          id={`${store.prefix}-tab-${tab}`}
          type="button"
          role="tab"
          aria-selected={store.view.tab === tab}
          aria-controls={`${store.prefix}-panel`}
          title={`${name} (${i + 1})`}
          onClick={() => store.set({ tab })}
        >
          {name} <span class="cz-faint">{number(count)}</span>
        </button>
      ))}
    </div>
  );
}

/** Another screen may have written to the same z: looked up when somebody comes back to this one. */
function useFreshness(store: Store): void {
  useEffect(() => {
    let last = Date.now();
    const look = () => {
      if (document.visibilityState !== "visible" || Date.now() - last < STALE_AFTER_MS) return;
      last = Date.now();
      store.refresh();
    };
    document.addEventListener("visibilitychange", look);
    window.addEventListener("focus", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("focus", look);
    };
  }, [store]);
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const store = new Store(model);
  mount(
    <StoreContext.Provider value={store}>
      <Studio />
    </StoreContext.Provider>,
    el,
  );
  return () => {
    mount(null, el);
    store.close();
  };
}

export default { render };
