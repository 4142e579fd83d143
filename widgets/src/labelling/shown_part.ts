/** Tells the store when something that is no picture has been drawn, and whether it is in view. */

import { useLayoutEffect } from "preact/hooks";
import type { RefObject } from "preact";
import { useInView } from "./picture";
import { useLabelling } from "./use_labelling";

export function useShownPart(part: RefObject<HTMLElement>, id: string): void {
  const store = useLabelling();
  useInView(part, id !== "");
  useLayoutEffect(() => {
    if (id === "") return undefined;
    let wanted = true;
    // The first frame is drawn after this call back, the second shows that it was.
    requestAnimationFrame(() => requestAnimationFrame(() => wanted && store.drawn(id, false)));
    if (part.current) part.current.scrollTop = 0;
    return () => {
      wanted = false;
    };
  }, [store, id]);
}
