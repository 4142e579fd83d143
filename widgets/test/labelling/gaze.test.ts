import { afterEach, describe, expect, it, vi } from "vitest";
import { settled } from "./fake_labelling";
import { answer, kernel, look, pass, store, withNewStore } from "./store_at_hand";

withNewStore();

describe("what was not seen", () => {
  const shown = (state: string) => Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  const turn = (state: string) => {
    shown(state);
    document.dispatchEvent(new Event("visibilitychange"));
  };
  afterEach(() => turn("visible"));

  it("takes no answer to a picture that is not drawn, or has only just come", async () => {
    pass(5000);
    expect(store.choose("husky")).toBe(false);
    expect(store.view.refused).toContain("not drawn");
    store.drawn("q1", false);
    pass(249);
    expect(store.choose("husky")).toBe(false);
    expect(store.view.refused).toContain("only just come");
    expect(store.view.said).toBe(store.view.refused);
    expect(store.view.current).toBe("q1");
    pass(151);
    expect(store.choose("husky")).toBe(true);
    expect(store.view.refused).toBe("");
    await settled();
    expect(kernel.stored.size).toBe(1);
    expect(kernel.actions("answer")[0]?.seconds).toBeCloseTo(0.4);
  });

  it("answers one picture however often and however fast", async () => {
    for (let i = 0; i < 40; i++) {
      if (store.view.current !== null) store.drawn(store.view.current, false);
      store.choose("husky");
      await settled();
      pass(60);
    }
    // The first comes too early, and what follows it closely is the same burst.
    expect(kernel.stored.size).toBe(0);
    pass(200);
    expect(store.choose("husky")).toBe(true);
  });

  it("counts no time in a tab that is hidden, under the help, or scrolled away", () => {
    store.drawn("q1", false);
    pass(100);
    turn("hidden");
    pass(60_000);
    turn("visible");
    store.set({ help: true });
    pass(60_000);
    store.set({ help: false });
    store.onScreen(false);
    pass(60_000);
    expect(store.choose("husky")).toBe(false);
    expect(store.view.refused).toContain("not in view");
    store.onScreen(true);
    pass(200);
    expect(store.choose("husky")).toBe(true);
    expect(store.outbox?.first).toMatchObject({ seconds: 0.3 });
  });

  it("puts nothing off and takes no second answer back unseen", async () => {
    store.later();
    expect(store.view.current).toBe("q1");
    pass(200);
    answer("husky");
    await settled();
    answer("corgi");
    await settled();
    store.undo(); // at once: the next picture need not be looked at for that
    store.undo();
    await settled();
    expect(store.view.current).toBe("q2");
    expect([...kernel.stored.keys()]).toEqual(["q1"]);
  });

  it("does not answer by the second click of a double-click, however slow", async () => {
    look();
    expect(store.doubled(1)).toBe(false);
    store.choose("husky");
    await settled();
    look(450);
    expect(store.doubled(2)).toBe(true);
    expect(store.view.refused).toContain("double-click");
    expect(store.doubled(3)).toBe(false);
    expect(store.doubled(1)).toBe(false);
    // The first was refused: the second is the first that counts.
    expect(store.doubled(2)).toBe(false);
  });

  it("lets a picture that cannot be drawn be called unusable, and be nothing else", () => {
    store.drawn("q1", true);
    pass(300);
    expect(store.broken).toBe(true);
    expect(store.choose("husky")).toBe(false);
    expect(store.view.refused).toContain("cannot be drawn");
    pass(300);
    expect(store.choose("not usable")).toBe(true);
    expect(store.broken).toBe(false);
  });

  it("says it to the end, though the answer before is saved meanwhile", async () => {
    answer("husky");
    store.choose("husky");
    await settled();
    expect(kernel.stored.size).toBe(1);
    expect(store.view.said).toContain("Not counted");
  });

  it("says so for a moment, and aloud each time", () => {
    vi.useFakeTimers();
    store.refuse("No.");
    const first = store.view.said;
    store.refuse("No.");
    expect(store.view.said).not.toBe(first);
    vi.advanceTimersByTime(4000);
    expect(store.view.refused).toBe("");
  });
});
