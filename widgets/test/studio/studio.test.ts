import { describe, expect, it, vi } from "vitest";
import { settled, traits } from "../fake";
import { $, all, el, leave, model, onCleanPage, open, press, text, type } from "./studio_page";

onCleanPage();

describe("first paint", () => {
  it("shows units, findings, the unexplained share and that it is saved, asking nothing", () => {
    expect(all(".cz-tile")).toHaveLength(6);
    expect(text(".cz-summary")).toContain("1 flagged");
    expect(text(".cz-unexplained")).toMatch(/corgi\s*40 %/);
    expect(text(".cz-saved")).toContain("saved");
    expect($(".cz-inspector").dataset.unit).toBe("conv4:1");
    expect(model.sent.filter(({ action }) => action !== "parse")).toEqual([]);
  });

  it("tells proposals, verdicts and drives in words", () => {
    const tile = $('[data-unit="conv4:2"].cz-tile');
    expect(tile.getAttribute("aria-label")).toBe("conv4:2, snow, proposed by rule, drives husky +30 %, 1 flagged");
    expect(tile.querySelector(".cz-by")?.textContent).toBe("rule");
    expect($('[data-unit="conv4:1"].cz-tile').querySelector(".cz-by")).toBeNull();
  });

  it("says what to run when nothing was measured", () => {
    leave();
    const state = traits();
    open({ ...state, head: { ...state.head, missing: "Run cz.measure.", saved: "memory" }, report: { ...state.report, findings: [], unexplained: [], missing: "Findings appear later." } });
    expect(text('[data-cz="missing"]')).toContain("Run cz.measure.");
    expect(text(".cz-strip")).toContain("Findings appear later.");
    expect(text(".cz-saved")).toContain("in memory only");
    expect(text(".cz-saved")).not.toContain("saved");
  });

  it("shows text as text", () => {
    leave();
    const state = traits();
    const words = state.words.map((word) => ({ ...word, text: "<img src=x onerror=alert(1)>" }));
    open({ ...state, words });
    expect(el.querySelector("img")).toBeNull();
    expect(text('[data-unit="conv4:1"].cz-tile')).toContain("<img");
  });
});

describe("ten thousand units", () => {
  it("make few elements, and the last is reached by key", async () => {
    leave();
    open(traits(10_000));
    expect(all(".cz-tile").length).toBeLessThan(60);
    $(".cz-tiles").focus();
    await press("End");
    expect($(".cz-inspector").dataset.unit).toBe("conv4:9999");
  });
});

describe("keys", () => {
  it("never reach the notebook", async () => {
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    for (const key of ["a", "b", "d", "x", "Enter", "ArrowDown", "/", "f", "?", "Escape"]) await press(key, $(".cz-studio"));
    expect(heard).not.toHaveBeenCalled();
    expect($(".cz-studio").dataset.lmSuppressShortcuts).toBe("true");
    document.removeEventListener("keydown", heard);
  });

  it("move, and tell who is selected", async () => {
    $(".cz-tiles").focus();
    await press("ArrowRight");
    expect($(".cz-inspector").dataset.unit).toBe("conv4:2");
    const active = $(".cz-tiles").getAttribute("aria-activedescendant") ?? "";
    expect(document.getElementById(active)?.dataset.unit).toBe("conv4:2");
    await press("ArrowDown");
    expect($(".cz-inspector").dataset.unit).toBe("conv4:5");
    await press("Home");
    expect($(".cz-inspector").dataset.unit).toBe("conv4:0");
  });

  it("/ searches, Enter goes back to the grid, typing there is typing", async () => {
    $(".cz-tiles").focus();
    await press("/");
    const search = $<HTMLInputElement>(".cz-search input");
    expect(document.activeElement).toBe(search);
    await type(search, "fluffy");
    expect(all(".cz-tile")).toHaveLength(1);
    await press("u");
    expect(model.actions("undo")).toEqual([]);
    await press("Enter");
    expect(document.activeElement).toBe($(".cz-tiles"));
  });

  it("u undoes, r and Shift+u redo", async () => {
    $(".cz-tiles").focus();
    await press("u");
    await press("r");
    await press("U");
    expect(model.sent.filter(({ action }) => action === "undo" || action === "redo").map(({ action }) => action)).toEqual(["undo", "redo", "redo"]);
  });

  it("with a modifier are left to the browser, but Ctrl+s does not save the page", async () => {
    const event = new KeyboardEvent("keydown", { key: "s", ctrlKey: true, bubbles: true, cancelable: true });
    $(".cz-tiles").dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
    const copy = new KeyboardEvent("keydown", { key: "c", ctrlKey: true, bubbles: true, cancelable: true });
    $(".cz-tiles").dispatchEvent(copy);
    expect(copy.defaultPrevented).toBe(false);
  });

  it("? opens help, Esc closes it and gives the grid its focus back", async () => {
    $(".cz-tiles").focus();
    await press("?");
    expect($(".cz-help").getAttribute("role")).toBe("dialog");
    await press("Escape");
    expect(el.querySelector(".cz-help")).toBeNull();
    expect(document.activeElement).toBe($(".cz-tiles"));
  });

  it("work at once after the list changed", async () => {
    $(".cz-tiles").focus();
    await press("f");
    expect(document.activeElement?.getAttribute("aria-expanded")).toBe("true");
    await press("1");
    expect(document.activeElement).toBe($(".cz-tiles"));
  });
});

describe("editor", () => {
  const field = () => $<HTMLInputElement>(".cz-editor-text");
  const submit = async () => {
    $(".cz-editor").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await settled();
  };

  it("opens with e, recognises concepts, writes with Enter", async () => {
    $(".cz-tiles").focus();
    await press("e");
    expect(document.activeElement).toBe(field());
    await type(field(), "snow again");
    await new Promise((resolve) => setTimeout(resolve, 160));
    expect(text(".cz-chips")).toContain("snow surroundings");
    await submit();
    expect(model.actions("annotate")[0]).toMatchObject({ unit: "conv4:1", text: "snow again", base: "w1" });
  });

  it("keeps what is typed while moving about, and says so", async () => {
    await type(field(), "half a thou");
    $(".cz-tiles").focus();
    await press("ArrowRight");
    expect(field().value).toBe("snow");
    expect(text(".cz-saved")).toContain("1 draft");
    await press("ArrowLeft");
    expect(field().value).toBe("half a thou");
  });

  it("does not write what did not change, but adopts a proposal as it stands", async () => {
    await submit();
    expect(model.actions("annotate")).toEqual([]);
    $(".cz-tiles").focus();
    await press("ArrowRight");
    expect(text(".cz-editor .cz-primary")).toContain("Adopt");
    await submit();
    expect(model.actions("annotate")[0]).toMatchObject({ unit: "conv4:2", text: "snow" });
  });

  it("shows both texts when somebody else was quicker", async () => {
    model.answers.annotate = { ok: false, code: "conflict", message: "Changed.", theirs: { id: "w9", text: "white ground", author: "jon", time: "" } };
    await type(field(), "mine");
    await submit();
    const buttons = all(".cz-conflict button");
    expect(buttons.map((button) => button.textContent)).toEqual(["Keep theirs: “white ground”", "Write mine: “mine”"]);
    model.answers.annotate = {};
    buttons[1]?.click();
    await settled();
    expect(model.actions("annotate").at(-1)).toMatchObject({ text: "mine", base: "w9" });
    expect(el.querySelector(".cz-conflict")).toBeNull();
  });

  it("names an error, keeps the text, and the error can be dismissed", async () => {
    model.answers.annotate = { ok: false, code: "bundle-write", message: "The disk is full.", hint: "Free space." };
    await type(field(), "mine");
    await submit();
    const notice = $('[data-cz="notice"]');
    expect(notice.getAttribute("role")).toBe("alert");
    expect(notice.textContent).toContain("The disk is full. Free space.bundle-write");
    expect(field().value).toBe("mine");
    $<HTMLButtonElement>('[data-cz="notice"] button').click();
    await settled();
    expect(el.querySelector('[data-cz="notice"]')).toBeNull();
  });
});

describe("matches", () => {
  it("say what putting the concept into an image does", () => {
    expect(text("[data-paired]")).toBe("putting snow into an image changes the response by 2.1 sd [1.9, 2.3] (12 pairs)");
    expect($(".cz-bar-row[title*='snow']").title).toContain("purity .70");
  });
});

describe("classes", () => {
  it("show what drives them, strongest first, beside what is unexplained", async () => {
    all(".cz-class-pill").find((pill) => pill.textContent?.includes("husky"))?.click();
    await settled();
    const names = all(".cz-evidence .cz-bar-name").map((name) => name.textContent);
    expect(names.slice(0, 2)).toEqual(["snow on the ground · conv4:1", "snow · conv4:2"]);
    expect(text(".cz-classes")).toContain("12 % unexplained (8 % to 17 %)");
  });
});

describe("keys", () => {
  const send = (init: KeyboardEventInit) => {
    $(".cz-tiles").dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init }));
    return settled();
  };

  it("mean the same with Caps Lock and on other keyboards", async () => {
    await send({ key: "U", code: "KeyU" });
    await send({ key: "\u0433", code: "KeyU" });
    expect(model.actions("undo")).toHaveLength(2);
    await send({ key: "u", code: "KeyU", shiftKey: true });
    expect(model.actions("redo")).toHaveLength(1);
    await send({ key: "\u00e9", code: "Digit2" });
    expect(text('[role="tab"][aria-selected="true"]')).toContain("Findings");
  });

  it("take one edit back however long they are held", async () => {
    await send({ key: "u", code: "KeyU" });
    for (let i = 0; i < 5; i++) await send({ key: "u", code: "KeyU", repeat: true });
    expect(model.actions("undo")).toHaveLength(1);
  });
});

describe("connection", () => {
  it("lost is said, stops saving, and can be tried again", async () => {
    model.fire("comm_live_update");
    await settled();
    expect($('[data-cz="lost"]').getAttribute("role")).toBe("alert");
    expect(text(".cz-saved")).toBe("not connected");
    expect($<HTMLButtonElement>(".cz-editor .cz-primary").disabled).toBe(true);
    $<HTMLButtonElement>('[data-cz="lost"] button').click();
    await settled();
    expect(el.querySelector('[data-cz="lost"]')).toBeNull();
  });

  it("leaves nothing behind when the screen goes", () => {
    leave();
    expect(model.listening).toBe(0);
    expect(el.innerHTML).toBe("");
    open();
  });
});
