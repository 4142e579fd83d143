import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import studio from "../../src/studio/studio";
import { FakeModel, detail, settled, traits } from "../fake";

let model: FakeModel;
let el: HTMLElement;
let leave: () => void;
let job: Record<string, unknown>;

function open(): void {
  el = document.createElement("div");
  document.body.append(el);
  leave = studio.render({ model, el });
}

beforeEach(() => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  Element.prototype.scrollIntoView = () => undefined;
  model = new FakeModel(traits());
  job = { state: "running", unit: "conv4:1", done: 0, turn: 1, each: 2 };
  model.answers.optimise = () => job;
  model.answers.optimising = () => job;
  model.answers.cancel = () => job;
  open();
});

afterEach(() => {
  leave();
  el.remove();
  vi.restoreAllMocks();
});

const text = (selector: string) => el.querySelector(selector)?.textContent ?? "";
const button = (name: string) => {
  const found = [...el.querySelectorAll<HTMLButtonElement>("button")].find((b) => b.textContent === name);
  if (!found) throw new Error(`no button ${name}`);
  return found;
};
const choose = async (name: string, at: number) => {
  const select = el.querySelector<HTMLSelectElement>(`select[aria-label=${name}]`);
  if (!select) throw new Error(name);
  select.selectedIndex = at;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
};

describe("optimised inputs", () => {
  it("are asked for as chosen, told of as they are made, and shown when they are kept", async () => {
    await choose("Images", 2);
    await choose("Direction", 1);
    await choose("Method", 1);
    await choose("Steps", 1);
    button("Optimise").click();
    await settled();
    const { id: _id, action: _action, ...asked } = model.actions("optimise")[0] ?? { id: "", action: "" };
    expect([_action, asked]).toEqual(["optimise", { unit: "conv4:1", each: 4, negative: true, how: "maco", steps: 128 }]);
    expect(_id).not.toBe("");
    expect(button("Optimise").disabled).toBe(true);
    job = { ...job, done: 0.5, stamp: 3, size: [64, 64] };
    await vi.waitFor(() => expect(text("[data-cz=optimising]")).toContain("50 %"), 3000);
    expect(el.querySelectorAll("[data-cz=optimising] canvas")).toHaveLength(2);
    await vi.waitFor(() => expect(model.actions("optimising").at(-1)?.seen).toBe(3), 3000);
    job = { ...job, state: "done", done: 1 };
    model.answers.history = { history: [], visuals: [{ pictures: ["aa"], how: "maco", steps: 128, negative: true }] };
    model.change({ head: { ...model.state.head, revision: 2 } });
    await vi.waitFor(() => expect(text("[data-cz=kept]")).toBe("optimised to silence conv4:1; maco, 128 steps"), 3000);
    await vi.waitFor(() => expect(el.querySelector("[data-cz=optimising]")).toBeNull(), 3000);
    expect(button("Optimise").disabled).toBe(false);
  });

  it("are cancelled, and the screen asks no more", async () => {
    button("Optimise").click();
    await settled();
    job = { ...job, state: "cancelled" };
    button("Cancel").click();
    await vi.waitFor(() => expect(el.querySelector("[data-cz=optimising]")).toBeNull());
    await new Promise((resolve) => setTimeout(resolve, 400)); // what was under way may still come
    const asked = model.actions("optimising").length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(model.actions("optimising")).toHaveLength(asked);
  });

  it("say why they cannot be made, at once or on the way", async () => {
    model.answers.optimise = { ok: false, code: "network", message: "No torch.", hint: "Install it." };
    button("Optimise").click();
    await vi.waitFor(() => expect(text("[data-cz=visual-refused]")).toContain("No torch. Install it."));
    model.answers.optimise = () => ({ ...job, state: "failed", failure: { code: "x", message: "It broke.", hint: "" } });
    button("Optimise").click();
    await vi.waitFor(() => expect(text("[data-cz=visual-refused]")).toContain("It broke."));
  });

  it("are not offered for tokens", () => {
    leave();
    const first = { ...detail("conv4:1"), contexts: [{ tokens: ["a"], focus: [0, 0] }] };
    model.change({ first });
    open();
    expect([...el.querySelectorAll("button")].map((b) => b.textContent)).not.toContain("Optimise");
  });
});
