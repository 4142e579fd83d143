import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import studio from "../../src/studio/studio";
import { FakeModel, detail, settled, traits } from "../fake";

let model: FakeModel;
let el: HTMLElement;
let leave: () => void;

beforeEach(() => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  Element.prototype.scrollIntoView = () => undefined;
  model = new FakeModel(traits());
  model.answers.responds = (message) => ({
    unit: message.unit,
    size: [64, 64],
    unlisted: 3,
    spectrum: [
      { name: "smallest", cells: [{ image: 4, at: 0, shows: ["grass"], response: 0 }] },
      { name: "largest", cells: [{ image: 9, at: 1, shows: ["snow"], response: 2.5 }] },
    ],
    relevant: [{ name: "husky", cells: [{ image: 9, at: 1, shows: ["snow"], response: 2.5, share: 0.4 }] }],
  });
  el = document.createElement("div");
  document.body.append(el);
  leave = studio.render({ model, el });
});

afterEach(() => {
  leave();
  el.remove();
  vi.restoreAllMocks();
});

const button = (name: string) => {
  const found = [...el.querySelectorAll<HTMLButtonElement>("button")].find((b) => b.textContent === name);
  if (!found) throw new Error(`no button ${name}`);
  return found;
};
const text = (selector: string) => el.querySelector(selector)?.textContent ?? "";
const show = async (name: string) => {
  button(name).click();
  await settled();
};

describe("what a unit responds to", () => {
  it("asks for rows when they are looked at, once a unit", async () => {
    expect(model.actions("responds")).toHaveLength(0);
    await show("by class");
    expect(text("[data-cz=rows-relevance]")).toMatch(/husky40 %/);
    expect(text("[data-cz=rows-relevance]")).toContain("3 classes");
    await show("spectrum");
    expect(text("[data-cz=rows-spectrum]")).toMatch(/least active.*most active2.50/);
    expect(el.querySelector(".cz-pick canvas")?.getAttribute("aria-label")).toBe("image 4: grass; response .00");
    await show("by class");
    expect(model.actions("responds").map((m) => m.unit)).toEqual(["conv4:1"]);
  });

  it("says why there is nothing, and asks again later", async () => {
    model.answers.responds = { ok: false, code: "measurement", message: "Not measured.", hint: "Measure." };
    await show("by class");
    expect(text(".cz-inspector")).toContain("Not measured. Measure.");
    await show("most active");
    await show("by class");
    await vi.waitFor(() => expect(model.actions("responds")).toHaveLength(2));
  });

  it("puts scores in words, and opens a neighbour", async () => {
    expect(text("[data-cz=clarity]")).toBe("clarity.70its exemplars look alike");
    expect(text("[data-cz=redundancy]")).toContain("another unit shows the same");
    expect(text("[data-cz=statistics]")).toContain("active on 30 % of images");
    const neighbour = [...el.querySelectorAll<HTMLButtonElement>("button.cz-link")].find((b) => b.textContent?.startsWith("conv4:2"));
    expect(neighbour?.textContent).toContain("snow");
    neighbour?.click();
    await settled();
    expect(el.querySelector<HTMLElement>(".cz-inspector")?.dataset.unit).toBe("conv4:2");
  });

  it("shows none of it where it was never measured", async () => {
    const bare = { statistics: {}, quality: {}, neighbours: [], more: false };
    model.answers.unit = (message) => ({ detail: { ...detail(String(message.unit)), ...bare } });
    el.querySelector<HTMLElement>('[data-unit="conv4:3"].cz-tile')?.click();
    await settled();
    expect(el.querySelector(".cz-looks")).toBeNull();
    expect(el.querySelector("[data-cz=clarity]")).toBeNull();
    expect(el.querySelector("[data-cz=statistics]")).toBeNull();
  });
});
