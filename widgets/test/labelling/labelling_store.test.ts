import { describe, expect, it, vi } from "vitest";
import { Outbox } from "../../src/labelling/outbox";
import { LabellingStore } from "../../src/labelling/labelling_store";
import { FakeKernel, settled } from "./fake_labelling";
import { answer, begin, clock, kernel, look, pass, store, withNewStore } from "./store_at_hand";

withNewStore();

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
    begin(new FakeKernel(Array.from({ length: 14 }, (_, i) => `q${i}`)));
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
    begin(kernel);
    await settled();
    pass(9000); // not drawn yet
    look(3200);
    store.choose("husky");
    await settled();
    expect(kernel.actions("answer").at(-1)?.seconds).toBeCloseTo(3.2);
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
    begin(kernel);
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
    begin(new FakeKernel(undefined, ""));
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
