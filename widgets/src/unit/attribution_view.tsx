/** One image, looked at closer: what the unit, or a class, owes to its parts. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useAsked } from "../link/ask";
import { Picture, useBitmap } from "../pictures/bitmap";
import { useStore } from "../studio/use_store";
import { share } from "../parts/format";
import { ICONS, Icon } from "../parts/marks";
import { CopyPython } from "../parts/panels";
import type { Attributed } from "../studio/studio_payload";

/** The last two are of classes alone. */
const METHODS: [string, string][] = [
  ["integrated-gradients", "the gradient, integrated from an image that shows nothing"],
  ["gradient", "the gradient at the image itself"],
  ["occlusion", "what changes when a window of the image is hidden"],
  ["grad-cam", "where the cut's units that raise the class are active"],
  ["conductance", "what passes through the cut's units, position by position"],
];
const OF_CLASSES = new Set(["grad-cam", "conductance"]);

interface Props {
  unit: string;
  image: number;
  shows: string[];
  onClose: () => void;
}

export function Closer({ unit, image, shows, onClose }: Props) {
  const store = useStore();
  const { classes } = store.trait("head");
  const [wanted, setTarget] = useState("");
  const [how, setMethod] = useState("integrated-gradients");
  const target = classes.includes(wanted) ? wanted : "";
  const method = target === "" && OF_CLASSES.has(how) ? "integrated-gradients" : how;
  const { reply, failure } = useAsked("attribute", { unit, image, target, method });
  const found = reply as unknown as Attributed | null;
  const name = target === "" ? "the unit" : target;
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => root.current?.scrollIntoView?.({ block: "nearest" }), [unit, image, found === null]);
  return (
    <div
      ref={root}
      class="cz-closer"
      role="region"
      aria-label={`Image ${image}, looked at closer`}
      data-cz="closer"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <h5>
        Why this image?
        <span class="cz-faint" title={shows.join(", ")}>image {image}{shows.length > 0 && `: ${shows.slice(0, 4).join(", ")}`}</span>
        <span class="cz-space" />
        {found && <CopyPython code={found.python} />}
        <button type="button" class="cz-copy" aria-label="Close" title="Close (Esc)" onClick={onClose}>
          <Icon path={ICONS.close} size={12} />
        </button>
      </h5>
      <div class="cz-closer-row">
        <label class="cz-fact">
          what
          <select class="cz-select" aria-label="Attributed" value={target} onChange={(event) => setTarget(event.currentTarget.value)}>
            <option value="">{unit}</option>
            {classes.map((each) => (
              <option key={each} value={each}>{each}</option>
            ))}
          </select>
          owes to each part, by
          <select class="cz-select cz-wide" aria-label="Method" value={method} onChange={(event) => setMethod(event.currentTarget.value)}>
            {METHODS.filter(([each]) => target !== "" || !OF_CLASSES.has(each)).map(([each, hint]) => (
              <option key={each} value={each} title={hint}>{each.replaceAll("-", " ")}</option>
            ))}
          </select>
        </label>
      </div>
      {failure && <p class="cz-faint" data-cz="refused"><b>Cannot be computed here.</b> {failure.message} {failure.hint}</p>}
      {!failure && (
        <div class="cz-closer-pictures" aria-busy={found === null}>
          <Shown bytes={found?.blobs.input} words="the image" />
          <Shown bytes={found?.blobs.raises} words={found ? `raises ${name}${figure(found.raises)}` : "running the network …"} />
          <Shown bytes={found?.blobs.lowers} words={found ? `lowers ${name}${figure(found.raises === null ? null : 1 - found.raises)}` : ""} />
        </div>
      )}
    </div>
  );
}

function figure(part: number | null): string {
  return part === null ? "" : `: ${share(part)}`;
}

function Shown({ bytes, words }: { bytes: DataView | undefined; words: string }) {
  const bitmap = useBitmap(bytes);
  return (
    <figure>
      <span class="cz-exemplar">
        <Picture strip={bitmap} at={0} size={[bitmap?.width ?? 1, bitmap?.height ?? 1]} label={words} />
      </span>
      <figcaption class="cz-fact">{words}</figcaption>
    </figure>
  );
}
