/** Errors by name, and whether anybody is listening. */

import { useStore } from "./use_store";
import { ICONS, Icon } from "../parts/marks";

export function Notices() {
  const store = useStore();
  const { link, notice, said } = store.view;
  return (
    <div class="cz-notices">
      {link === "lost" && (
        <div class="cz-notice cz-error" role="alert" data-cz="lost">
          <span>
            <b>Connection lost.</b> The kernel behind this screen stopped or was restarted. Run the cell again; edits
            marked saved are on disk.
          </span>
          <button type="button" class="cz-button" onClick={() => void store.reconnect()}>Try again</button>
        </div>
      )}
      {link === "slow" && (
        <div class="cz-notice" role="status">
          <span>The kernel is busy: this is done when it answers. If it is idle all the while, reload the page and run the cell again.</span>
        </div>
      )}
      {notice && (
        <div class={`cz-notice cz-${notice.tone}`} role={notice.tone === "error" ? "alert" : "status"} data-cz="notice" data-code={notice.code}>
          <span>
            <b>{notice.message}</b> {notice.hint}
            {notice.code !== "" && <code class="cz-code">{notice.code}</code>}
          </span>
          <button type="button" class="cz-button cz-quiet" aria-label="Dismiss" onClick={() => store.set({ notice: null })}>
            <Icon path={ICONS.close} />
          </button>
        </div>
      )}
      <div class="cz-said" aria-live="polite">{said}</div>
    </div>
  );
}
