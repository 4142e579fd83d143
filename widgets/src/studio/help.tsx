/** Keys and words, over the screen until closed. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { useStore } from "./use_store";
import { KEYS } from "./keys";

const WORDS: [string, string][] = [
  ["unit", "one part of the network: a channel, a neuron, a direction"],
  ["cut", "the layers every path to the output crosses once"],
  ["sufficiency", "the unit alone raises the class, the rest held"],
  ["necessity", "without the unit the class falls"],
  ["δ", "the smallest effect that counts, as a share of the whole cut's"],
  ["unexplained", "share of a class's effect that units with words do not recover"],
  ["flagged", "beyond δ, and not by chance"],
  ["supported", "shown to lie within its bound"],
  ["inconclusive", "neither: more images would tell"],
];

export function Help() {
  const store = useStore();
  const close = useRef<HTMLButtonElement>(null);
  const { help } = store.view;
  useLayoutEffect(() => {
    if (help) close.current?.focus();
  }, [help]);
  if (!help) return null;
  const leave = () => {
    store.set({ help: false });
    store.focusOn("grid");
  };
  return (
    <div class="cz-veil" onClick={leave}>
      <div class="cz-help" role="dialog" aria-modal="true" aria-label="Keys and words" onClick={(event) => event.stopPropagation()}>
        <div class="cz-two">
          <div>
            <h3>Keys</h3>
            <dl class="cz-pairs cz-keys">
              {KEYS.map(([key, what]) => (
                <div key={key}>
                  <dt><kbd>{key}</kbd></dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </div>
          <div>
            <h3>Words</h3>
            <dl class="cz-pairs">
              {WORDS.map(([word, what]) => (
                <div key={word}>
                  <dt>{word}</dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </div>
        </div>
        <button ref={close} type="button" class="cz-button cz-primary" onClick={leave}>
          Close <kbd>Esc</kbd>
        </button>
      </div>
    </div>
  );
}
