/** Pieces that several parts of the screen are made of. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useStore } from "../studio/use_store";
import { ICONS, Icon } from "./marks";

export function Part({ title, hint, children, python }: { title: string; hint?: string; children: ComponentChildren; python?: string }) {
  return (
    <div class="cz-part">
      <h4 title={hint}>
        {title}
        {python !== undefined && <CopyPython code={python} />}
      </h4>
      {children}
    </div>
  );
}

/** Every figure can be had as code. */
export function CopyPython({ code }: { code: string }) {
  const store = useStore();
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      class="cz-copy"
      title={`copy as Python: ${code}`}
      aria-label="Copy as Python"
      onClick={() => {
        navigator.clipboard?.writeText(code).then(
          () => setDone(true),
          () => store.info("The browser did not let the screen copy.", code),
        );
      }}
    >
      <Icon path={done ? ICONS.check : ICONS.copy} size={12} />
    </button>
  );
}

/** Folded away; what is inside is made when it is opened. */
export function Later({ title, children }: { title: string; children: () => ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>{title}</summary>
      {open && children()}
    </details>
  );
}

