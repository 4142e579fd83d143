/** Inputs optimised for the unit: made while one watches, kept with z as evidence. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Picture, useBitmap } from "../pictures/bitmap";
import { useStore } from "../studio/use_store";
import { plural, share } from "../parts/format";
import { ActionError } from "../link/link";
import { Part } from "../parts/panels";
import type { Failure, Job, Reply, Visual } from "../studio/studio_payload";

const POLL_MS = 250;
const IMAGES = [1, 2, 4];
const STEPS = [32, 128, 512];

export function VisualsPart() {
  const store = useStore();
  const detail = store.detail();
  const [job, setJob] = useState<Job | null>(null);
  const [preview, setPreview] = useState<DataView | undefined>(undefined);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [each, setEach] = useState(2);
  const [negative, setNegative] = useState(false);
  const [how, setHow] = useState("fourier");
  const [steps, setSteps] = useState(32);
  const begin = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    store.focus.visuals = () => begin.current?.focus();
  }, [store]);
  const take = (reply: Reply) => {
    setJob(reply as unknown as Job);
    if (reply.blobs.preview) setPreview(reply.blobs.preview);
  };
  const ask = async (action: string, args: Record<string, unknown>) => {
    try {
      take(await store.link.request(action, args));
    } catch (error) {
      if (!(error instanceof ActionError)) throw error;
      setFailure(error.failure);
      setJob(null);
    }
  };
  const running = job?.state === "running";
  useEffect(() => {
    if (!running || !job) return undefined;
    const timer = setTimeout(() => void ask("optimising", { seen: job.stamp ?? 0 }), POLL_MS);
    return () => clearTimeout(timer);
  }, [job]);
  const turn = job ? `${job.turn} ${job.state}` : "";
  useEffect(() => {
    if (job?.state === "done") store.say(`${job.unit} is optimised, and its pictures are kept.`);
    if (job?.state === "cancelled") store.say("Cancelled; nothing was kept.");
  }, [turn]);
  if (!detail || detail.exemplars.length === 0 || detail.contexts.some((context) => context !== null)) return null;
  const { unit } = detail;
  const start = () => {
    setFailure(null);
    setPreview(undefined);
    void ask("optimise", { unit, each, negative, how, steps });
  };
  const shown = failure ?? job?.failure ?? null;
  return (
    <Part title="Optimised inputs" hint="feature visualisation: inputs made to activate the unit; people read exemplars better, so look at those first">
      <div class="cz-visuals-row">
        <button ref={begin} type="button" class="cz-button" disabled={running} title="make inputs that activate it most, or least (v)" onClick={start}>
          Optimise
        </button>
        <Choice name="Images" values={IMAGES} value={each} words={(n) => plural(n, "image")} set={setEach} off={running} />
        <Choice name="Direction" values={[false, true]} value={negative} words={(low) => (low ? "that silence it" : "that activate it")} set={setNegative} off={running} />
        <Choice name="Method" values={["fourier", "maco"]} value={how} words={(name) => (name === "maco" ? "phases only (maco)" : "all frequencies")} set={setHow} off={running} />
        <Choice name="Steps" values={STEPS} value={steps} words={(n) => `${n} steps`} set={setSteps} off={running} />
      </div>
      {shown && <p class="cz-faint" data-cz="visual-refused"><b>Cannot be made here.</b> {shown.message} {shown.hint}</p>}
      {job && running && (
        <div class="cz-visual-job" data-cz="optimising">
          <Strip bytes={preview} job={job} />
          <div class="cz-visuals-row" role="status">
            <progress max={1} value={job.done} aria-label="Optimised so far" />
            <span class="cz-fact">{share(job.done)}{job.unit === unit ? "" : ` of ${job.unit}`}</span>
            <button type="button" class="cz-button" onClick={() => void ask("cancel", {})}>Cancel</button>
          </div>
        </div>
      )}
      {detail.visuals.map((visual) => (
        <Kept key={visual.pictures.join()} visual={visual} unit={unit} />
      ))}
    </Part>
  );
}

interface ChoiceProps<T> {
  name: string;
  values: T[];
  value: T;
  words: (value: T) => string;
  set: (value: T) => void;
  off: boolean;
}

function Choice<T extends string | number | boolean>({ name, values, value, words, set, off }: ChoiceProps<T>) {
  const change = (event: Event) => {
    const picked = values[(event.currentTarget as HTMLSelectElement).selectedIndex];
    if (picked !== undefined) set(picked);
  };
  return (
    <select class="cz-select" aria-label={name} disabled={off} onChange={change}>
      {values.map((each) => (
        <option key={String(each)} selected={each === value}>{words(each)}</option>
      ))}
    </select>
  );
}

function Strip({ bytes, job }: { bytes: DataView | undefined; job: Job }) {
  const bitmap = useBitmap(bytes);
  const last = useRef<ImageBitmap | null>(null);
  // What was shown stays until the next has been decoded.
  if (bitmap) last.current = bitmap;
  return (
    <div class="cz-exemplars">
      {Array.from({ length: job.each ?? 1 }, (_, i) => (
        <div key={i} class="cz-exemplar cz-visual">
          <Picture strip={bytes ? last.current : null} at={i} size={job.size ?? [1, 1]} label={`image ${i + 1} so far`} />
        </div>
      ))}
    </div>
  );
}

function Kept({ visual, unit }: { visual: Visual; unit: string }) {
  const store = useStore();
  const words = `${visual.negative ? "silence" : "activate"} ${unit}; ${visual.how}, ${visual.steps} steps`;
  return (
    <figure class="cz-kept" data-cz="kept">
      <div class="cz-exemplars">
        {visual.pictures.map((hash, i) => {
          const address = store.library.picture(hash);
          return (
            <div key={hash} class="cz-exemplar cz-visual">
              {address && <img src={address} alt={`input ${i + 1} optimised to ${words}`} />}
            </div>
          );
        })}
      </div>
      <figcaption class="cz-note">optimised to {words}</figcaption>
    </figure>
  );
}
