import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import studio from "../../src/studio/studio";
import { FakeModel, detail, settled, traits } from "../fake";

let model: FakeModel;
let el: HTMLElement;
let leave: () => void;

function open(): void {
  el = document.createElement("div");
  document.body.append(el);
  leave = studio.render({ model, el });
}

beforeEach(() => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  Element.prototype.scrollIntoView = () => undefined;
  model = new FakeModel(traits());
  model.answers.attribute = { target: "conv4:1", raises: 0.7, python: "cz.attribute(z, [7], 'conv4:1')" };
  model.answers.pattern = { tokens: ["a", "b", "a"], focus: [2, 1], python: "attention()" };
  model.answers.writes = { raises: [{ token: "b", change: 1.5 }], lowers: [{ token: "a", change: -0.5 }], inputs: 1, python: "direct_effect()" };
});

afterEach(() => {
  leave();
  el.remove();
  vi.restoreAllMocks();
});

const $ = <T extends HTMLElement = HTMLElement>(selector: string): T => {
  const found = el.querySelector<T>(selector);
  if (!found) throw new Error(`nothing fits ${selector}`);
  return found;
};
const press = async (key: string) => {
  (document.activeElement ?? $(".cz-studio")).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await settled();
};
const choose = async (selector: string, value: string) => {
  const select = $<HTMLSelectElement>(selector);
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
};
const asked = (action: string) => model.actions(action).map((message) => Object.fromEntries(Object.entries(message).filter(([key]) => key !== "id" && key !== "action")));

describe("one image, looked at closer", () => {
  it("is reached by key, asks what the unit owes to it, and is left by key", async () => {
    open();
    $(".cz-tiles").focus();
    await press("x");
    expect(document.activeElement?.className).toBe("cz-pick");
    (document.activeElement as HTMLElement).click();
    await settled();
    await vi.waitFor(() => expect(asked("attribute")).toEqual([{ unit: "conv4:1", image: 7, target: "", method: "integrated-gradients" }]));
    await vi.waitFor(() => expect($("[data-cz=closer]").textContent).toContain("raises the unit: 70 %"));
    expect($("[data-cz=closer]").textContent).toContain("lowers the unit: 30 %");
    $("[data-cz=closer] select").focus();
    await press("Escape");
    expect(el.querySelector("[data-cz=closer]")).toBeNull();
    expect(document.activeElement?.className).toBe("cz-pick");
    // From the exemplar itself, too.
    (document.activeElement as HTMLElement).click();
    await settled();
    expect(el.querySelector("[data-cz=closer]")).not.toBeNull();
    await press("Escape");
    expect(el.querySelector("[data-cz=closer]")).toBeNull();
    expect(document.activeElement?.className).toBe("cz-pick");
  });

  it("asks of a class by ways that only classes have, and never of a unit by them", async () => {
    open();
    $(".cz-exemplar .cz-pick").click();
    await settled();
    const methods = () => [...$("[aria-label=Method]").querySelectorAll("option")].map((option) => option.value);
    expect(methods()).not.toContain("grad-cam");
    await choose("[aria-label=Attributed]", "husky");
    expect(methods()).toContain("grad-cam");
    await choose("[aria-label=Method]", "grad-cam");
    await vi.waitFor(() => expect(asked("attribute").at(-1)).toMatchObject({ target: "husky", method: "grad-cam" }));
    await choose("[aria-label=Attributed]", "");
    await vi.waitFor(() => expect($<HTMLSelectElement>("[aria-label=Method]").value).toBe("integrated-gradients"));
    expect(asked("attribute").some((a) => a.target === "" && a.method === "grad-cam")).toBe(false);
  });

  it("says why where the network cannot be run", async () => {
    model.answers.attribute = { ok: false, code: "network", message: "Networks cannot be run here: torch is not installed.", hint: "pip install 'circuitz[torch]'" };
    open();
    $(".cz-exemplar .cz-pick").click();
    await settled();
    await vi.waitFor(() => expect($("[data-cz=refused]").textContent).toContain("torch is not installed. pip install"));
  });
});

describe("contexts of a head", () => {
  beforeEach(() => {
    const head = "blocks.0.attn.hook_z:1";
    const contexts = [
      { tokens: ["a", "b", "a"], focus: [2, 1] },
      { tokens: ["b", "<img>", "b"], focus: [2, 0] },
    ];
    const exemplars = [7, 9].map((image) => ({ image, peak: 0.9, box: [0, 0, 1, 1] as [number, number, number, number], shows: [] }));
    const heat = new DataView(new Uint8Array([10, 250, 20, 0, 250, 0, 20, 0]).buffer);
    const first = { ...detail("conv4:1"), unit: head, contexts, exemplars, heat: [2, 2] as [number, number], blobs: { heat } };
    const { head: facts } = traits();
    model.change({ first, head: { ...facts, layers: [{ name: "blocks.0.attn.hook_z", size: 6, cut: true }] } });
    open();
  });

  it("show tokens in the colour of the response, as text", () => {
    const lines = [...el.querySelectorAll(".cz-context")];
    expect(lines.map((line) => line.querySelector(".cz-tokens")?.textContent)).toEqual(["aba", "b<img>b"]);
    const tokens = [...(lines[0]?.querySelectorAll<HTMLElement>(".cz-token") ?? [])];
    expect(tokens.map((token) => token.style.getPropertyValue("--cz-lit"))).toEqual(["3%", "72%", "6%"]);
    expect(tokens.map((token) => token.className)).toEqual(["cz-token", "cz-token cz-key", "cz-token cz-query"]);
    expect(el.querySelector(".cz-tokens img")).toBeNull();
  });

  it("open where it looks and what it writes, line by line, by key", async () => {
    await vi.waitFor(() => expect(asked("pattern")).toEqual([{ unit: "blocks.0.attn.hook_z:1", image: 7 }]));
    await vi.waitFor(() => expect($("[data-cz=writes]").textContent).toMatch(/raises.*b.*\+1.50.*lowers.*a.*−.50/));
    expect($("[data-cz=pattern]").textContent).toContain("“a” (2) looks at “b” (1)");
    $(".cz-tiles").focus();
    await press("x");
    await press("ArrowDown");
    (document.activeElement as HTMLElement).click();
    await settled();
    await vi.waitFor(() => expect(asked("pattern").at(-1)).toMatchObject({ image: 9 }));
    const over = [...el.querySelectorAll<HTMLButtonElement>("[data-cz=writes] button")].find((b) => b.textContent === "over its contexts");
    over?.click();
    await settled();
    await vi.waitFor(() => expect(asked("writes").at(-1)).toEqual({ unit: "blocks.0.attn.hook_z:1" }));
  });
});
