import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Outbox } from "../../src/labelling/outbox";
import { LabellingStore } from "../../src/labelling/labelling_store";
import { FakeKernel, settled } from "./fake_labelling";

let kernel: FakeKernel;
let store: LabellingStore;
let now = 0;
const clock = () => now;

/** The picture is drawn, and somebody looks at it. */
function look(ms = 300): void {
  if (store.view.current !== null) store.drawn(store.view.current, false);
  now += ms;
}

function answer(choice: string): boolean {
  look();
  return store.choose(choice);
}

beforeEach(async () => {
  localStorage.clear();
  kernel = new FakeKernel();
  store = new LabellingStore(kernel, clock);
  await settled();
});

afterEach(() => {
  store.close();
  vi.useRealTimers();
});

describe("answering", () => {
  it("shows the next picture at once and saves meanwhile", async () => {
    expect(store.view.current).toBe("q1");
    answer("husky");
    expect(store.view.current).toBe("q2");
    expect(store.given.at(-1)).toMatchObject({ id: "q1", choice: "husky", saved: false });
    await settled();
    expect(kernel.stored.get("q1")).toBe("husky");
    expect(store.given.at(-1)?.saved).toBe(true);
    expect(store.outbox?.length).toBe(0);
    expect(localStorage.length).toBe(0);
    expect(store.standing.answered).toBe(1);
    expect(store.view.said).toBe("Saved: husky.");
  });

  it("says when it was answered, and what the clock says as it is sent", async () => {
    const before = Date.now();
    answer("husky");
    await settled();
    const { shown, answered, sent } = kernel.actions("answer")[0] as unknown as Record<string, string>;
    const [first = NaN, last = NaN, at = NaN] = [shown, answered, sent].map((time) => Date.parse(time ?? ""));
    expect(first).toBeLessThanOrEqual(last);
    expect(last).toBeGreaterThanOrEqual(before);
    expect(at).toBeGreaterThanOrEqual(last);
  });

  it("goes through all questions, each once, and says when nothing is left", async () => {
    while (store.view.current !== null) {
      answer("corgi");
      await settled();
    }
    expect([...kernel.stored.keys()]).toEqual(kernel.questions);
    expect(new Set(kernel.keys).size).toBe(6);
    expect(store.standing.left).toBe(0);
  });

  it("takes the last answer back and asks again", async () => {
    answer("husky");
    answer("corgi");
    await settled();
    store.undo();
    expect(store.view.current).toBe("q2");
    await settled();
    expect(kernel.stored.has("q2")).toBe(false);
    expect(kernel.actions("withdraw")[0]).toMatchObject({ question: "q2" });
    look();
    store.undo();
    expect(store.view.current).toBe("q1");
    await settled();
    expect(kernel.stored.size).toBe(0);
    store.undo();
    expect(store.view.said).toContain("no answer");
  });

  it("changes an earlier answer in its place and comes back to the due one", async () => {
    answer("husky");
    answer("corgi");
    await settled();
    store.step(-1);
    store.step(-1);
    expect(store.view.current).toBe("q1");
    expect(store.editing).toBe(true);
    answer("poodle");
    await settled();
    expect(store.view.current).toBe("q3");
    expect(store.given.map((g) => [g.id, g.choice])).toEqual([["q1", "poodle"], ["q2", "corgi"]]);
    expect(kernel.stored.get("q1")).toBe("poodle");
  });

  it("sends nothing when an earlier answer is chosen again", async () => {
    answer("husky");
    await settled();
    store.step(-1);
    answer("husky");
    await settled();
    expect(kernel.actions("answer")).toHaveLength(1);
    expect(store.view.current).toBe("q2");
  });

  it("puts a question off", async () => {
    look();
    store.later();
    await settled();
    expect(store.view.current).toBe("q2");
    expect(kernel.actions("aside")[0]).toMatchObject({ question: "q1", later: true });
    expect(store.standing.aside).toBe(1);
  });

  it("remembers the last ten only", async () => {
    store.close();
    kernel = new FakeKernel(Array.from({ length: 14 }, (_, i) => `q${i}`));
    store = new LabellingStore(kernel, clock);
    await settled();
    for (let i = 0; i < 13; i++) {
      answer("husky");
      await settled();
    }
    expect(store.given).toHaveLength(10);
    expect(store.given[0]?.id).toBe("q3");
  });

  it("counts the time a picture could be seen", async () => {
    store.close();
    store = new LabellingStore(kernel, clock);
    await settled();
    now += 9000; // not drawn yet
    look(3200);
    store.choose("husky");
    await settled();
    expect(kernel.actions("answer").at(-1)?.seconds).toBeCloseTo(3.2);
  });
});

describe("what was not seen", () => {
  const shown = (state: string) => Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  const turn = (state: string) => {
    shown(state);
    document.dispatchEvent(new Event("visibilitychange"));
  };
  afterEach(() => turn("visible"));

  it("takes no answer to a picture that is not drawn, or has only just come", async () => {
    now += 5000;
    expect(store.choose("husky")).toBe(false);
    expect(store.view.refused).toContain("not drawn");
    store.drawn("q1", false);
    now += 249;
    expect(store.choose("husky")).toBe(false);
    expect(store.view.refused).toContain("only just come");
    expect(store.view.said).toBe(store.view.refused);
    expect(store.view.current).toBe("q1");
    now += 151;
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
      now += 60;
    }
    // The first comes too early, and what follows it closely is the same burst.
    expect(kernel.stored.size).toBe(0);
    now += 200;
    expect(store.choose("husky")).toBe(true);
  });

  it("counts no time in a tab that is hidden, under the help, or scrolled away", () => {
    store.drawn("q1", false);
    now += 100;
    turn("hidden");
    now += 60_000;
    turn("visible");
    store.set({ help: true });
    now += 60_000;
    store.set({ help: false });
    store.onScreen(false);
    now += 60_000;
    expect(store.choose("husky")).toBe(false);
    expect(store.view.refused).toContain("not in view");
    store.onScreen(true);
    now += 200;
    expect(store.choose("husky")).toBe(true);
    expect(store.outbox?.first).toMatchObject({ seconds: 0.3 });
  });

  it("puts nothing off and takes no second answer back unseen", async () => {
    store.later();
    expect(store.view.current).toBe("q1");
    now += 200;
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
    now += 300;
    expect(store.broken).toBe(true);
    expect(store.choose("husky")).toBe(false);
    expect(store.view.refused).toContain("cannot be drawn");
    now += 300;
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

describe("a broken line", () => {
  it("keeps answers, goes on with what the page holds, and sends each once it is back", async () => {
    kernel.silent = true;
    answer("husky");
    await settled();
    store.link.lose();
    expect(store.view.link).toBe("lost");
    answer("corgi");
    expect(store.view.current).toBeNull();
    expect(store.outbox?.length).toBe(2);
    expect(localStorage.length).toBe(2);
    kernel.silent = false;
    await store.link.retry();
    await settled();
    expect([...kernel.stored]).toEqual([["q1", "husky"], ["q2", "corgi"]]);
    expect(localStorage.length).toBe(0);
    expect(store.view.current).toBe("q3");
  });

  it("asks by itself whether anybody is back", async () => {
    vi.useFakeTimers();
    store.close();
    store = new LabellingStore(kernel, clock);
    await vi.advanceTimersByTimeAsync(10);
    kernel.silent = true;
    answer("husky");
    store.link.lose();
    await vi.advanceTimersByTimeAsync(4000);
    expect(kernel.actions("ping").length).toBeGreaterThan(0);
    kernel.silent = false;
    await vi.advanceTimersByTimeAsync(4000);
    expect(kernel.stored.get("q1")).toBe("husky");
    expect(store.view.link).toBe("ok");
  });

  it("sends the same key again when the reply was lost", async () => {
    const send = kernel.send.bind(kernel);
    let deaf = true;
    kernel.send = (content) => {
      if (deaf) kernel.silent = false;
      send(content);
    };
    const fire = kernel.fire.bind(kernel);
    kernel.fire = (event, ...args) => {
      if (!deaf) fire(event, ...args);
    };
    answer("husky");
    await settled();
    expect(kernel.keys).toHaveLength(1);
    expect(store.outbox?.length).toBe(1);
    deaf = false;
    store.link.lose();
    await store.link.retry();
    await settled();
    expect(kernel.keys).toHaveLength(2);
    expect(kernel.keys[0]).toBe(kernel.keys[1]);
    expect(store.outbox?.length).toBe(0);
  });

  it("finds what an earlier page kept and sends it first", async () => {
    kernel.silent = true;
    answer("husky");
    look();
    store.later();
    store.close();
    kernel.silent = false;
    const fresh = new LabellingStore(kernel, clock);
    await settled();
    expect(kernel.stored.get("q1")).toBe("husky");
    expect(kernel.actions("aside").at(-1)).toMatchObject({ question: "q2" });
    expect(fresh.view.current).toBe("q3");
    expect(fresh.given.map((g) => g.id)).toEqual(["q1"]);
    expect(localStorage.length).toBe(0);
    fresh.close();
  });

  it("keeps an answer the store could not take and tells why", async () => {
    kernel.refuse = { code: "store", message: "The disk is full.", hint: "Free some space." };
    answer("husky");
    await settled();
    expect(store.outbox?.length).toBe(1);
    expect(store.view.notice).toMatchObject({ code: "store", message: "The disk is full." });
    kernel.refuse = null;
    await store.flush();
    expect(store.outbox?.length).toBe(0);
    expect(store.view.notice).toBeNull();
  });

  it("does not send for ever what can never be stored", async () => {
    kernel.refuse = { code: "labelling", message: "That question is not in this task pack.", hint: "" };
    answer("husky");
    await settled();
    expect(store.outbox?.length).toBe(0);
    expect(store.given).toHaveLength(0);
    expect(store.view.notice?.code).toBe("labelling");
  });
});

describe("who", () => {
  it("asks for a name when none is known, and remembers it", async () => {
    store.close();
    kernel = new FakeKernel(undefined, "");
    store = new LabellingStore(kernel, clock);
    expect(store.rater).toBe("");
    answer("husky");
    expect(kernel.sent).toHaveLength(0);
    await store.enter("mira");
    expect(store.rater).toBe("mira");
    expect(store.view.current).toBe("q1");
    expect(store.remembered).toBe("mira");
    await store.leave();
    expect(store.rater).toBe("");
    expect(store.view.current).toBeNull();
  });

  it("keeps one rater's unsent answers from another", () => {
    new Outbox("label-1", "mira").add({ op: "withdraw", question: "q1", of: "k" });
    expect(new Outbox("label-1", "mir").length).toBe(0);
    expect(new Outbox("label-2", "mira").length).toBe(0);
    expect(new Outbox("label-1", "mira").length).toBe(1);
  });

  it("survives a browser that keeps nothing, or keeps nonsense", () => {
    const broken = {
      length: 1, key: () => "circuitz-labelling/t/r/1", getItem: () => "{", removeItem: () => undefined,
      setItem: () => { throw new Error("full"); },
    };
    const box = new Outbox("t", "r", broken);
    expect(box.length).toBe(0);
    box.add({ op: "withdraw", question: "q", of: "" });
    expect(box.length).toBe(1);
    const none = new Outbox("t", "r", null);
    none.add({ op: "withdraw", question: "q", of: "" });
    none.done();
    expect(none.length).toBe(0);
  });

  it("leaves nothing behind", () => {
    store.close();
    expect(kernel.listening).toBe(0);
  });
});
