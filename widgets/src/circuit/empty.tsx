/** What is shown where no circuit has been measured: how to get one. */

import { useState } from "preact/hooks";
import { useStore } from "../studio/use_store";
import { CopyPython } from "../parts/panels";

export function GraphEmpty({ target, problem }: { target: string; problem: string }) {
  const store = useStore();
  const [asked, setAsked] = useState(false);
  const code = `z = z.with_graph(cz.graph(z, ${JSON.stringify(target)}))`;
  const measure = async () => {
    setAsked(true);
    await store.measureCircuit(target);
    setAsked(false);
  };
  return (
    <div class="cz-nothing cz-graph-empty" data-cz="graph-empty">
      <p>
        <b>The circuit of {target} has not been measured.</b> {problem}
      </p>
      <p>It shows which units drive the class, which drive those, and what is left unexplained.</p>
      <p>
        <button type="button" class="cz-button cz-primary" disabled={asked} onClick={() => void measure()}>
          {asked ? "Measuring …" : "Measure it here"}
        </button>{" "}
        <span class="cz-faint">needs the network and D; a few seconds for a small network</span>
      </p>
      <p class="cz-command">
        <code>{code}</code> <CopyPython code={code} />
      </p>
    </div>
  );
}
