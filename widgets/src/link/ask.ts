/** What one part of the screen asks Python for, kept as long as the same things are measured. */

import { useEffect, useState } from "preact/hooks";
import { useStore } from "../studio/use_store";
import { ActionError } from "./link";
import type { Failure, Reply } from "../studio/studio_payload";
import type { Store } from "../studio/store";

export interface Asked {
  reply: Reply | null;
  failure: Failure | null;
}

const NOTHING: Asked = { reply: null, failure: null };
const MOST = 64;
const shelves = new WeakMap<Store, { units: unknown; kept: Map<string, Reply> }>();

/** Replies to one store; measured anew, whatever was kept shows what was measured before. */
function shelf(store: Store): Map<string, Reply> {
  const units = store.trait("units");
  let found = shelves.get(store);
  if (!found || found.units !== units) {
    found = { units, kept: new Map() };
    shelves.set(store, found);
  }
  return found.kept;
}

/** Asks once for each action and arguments; `null` asks for nothing. Failures are asked again. */
export function useAsked(action: string, args: Record<string, unknown> | null): Asked {
  const store = useStore();
  const key = args === null ? "" : `${action} ${JSON.stringify(args)}`;
  const [state, setState] = useState<{ key: string; asked: Asked }>({ key: "", asked: NOTHING });
  const kept = shelf(store);
  const known = kept.get(key);
  useEffect(() => {
    if (args === null || kept.has(key)) return undefined;
    let wanted = true;
    store.link.request(action, args).then(
      (reply) => {
        const oldest = kept.keys().next().value;
        if (kept.size >= MOST && oldest !== undefined) kept.delete(oldest);
        kept.set(key, reply);
        if (wanted) setState({ key, asked: { reply, failure: null } });
      },
      (error: unknown) => {
        if (!(error instanceof ActionError)) throw error;
        if (wanted) setState({ key, asked: { reply: null, failure: error.failure } });
      },
    );
    return () => {
      wanted = false;
    };
  }, [store, kept, key]);
  if (known) return { reply: known, failure: null };
  return state.key === key ? state.asked : NOTHING;
}
