/** What a concept is to the subject, as a person says; kept with z. */

import { useStore } from "./use_store";

const KINDS = ["part", "attribute", "surroundings", "artefact", "low-level"] as const;

export function KindChoice({ concept, done }: { concept: string; done?: () => void }) {
  const store = useStore();
  return (
    <div class="cz-editor-row" role="group" aria-label={`What ‘${concept}’ is`}>
      {KINDS.map((kind) => (
        <button
          key={kind}
          type="button"
          class="cz-button"
          data-once
          data-kind={kind}
          disabled={store.view.busy}
          onClick={() => void store.sayKind(concept, kind).then((ok) => ok && done?.())}
        >
          {kind}
        </button>
      ))}
    </div>
  );
}
