import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ActionError, Link } from "../../src/link/link";
import type { LinkState } from "../../src/link/link";
import { FakeModel } from "../fake";

let model: FakeModel;
let states: LinkState[];
let link: Link;

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel();
  states = [];
  link = new Link(model, (state) => states.push(state));
});

afterEach(() => {
  link.close();
  vi.useRealTimers();
});

describe("Link", () => {
  it("gives each question its own answer, whatever the order", async () => {
    model.silent = true;
    const first = link.request("unit", { unit: "a" });
    const second = link.request("unit", { unit: "b" });
    const [a, b] = model.sent;
    model.fire("msg:custom", { id: b?.id, ok: true, n: 2 });
    model.fire("msg:custom", { id: a?.id, ok: true, n: 1 });
    expect(((await first) as { n?: number }).n).toBe(1);
    expect(((await second) as { n?: number }).n).toBe(2);
  });

  it("ignores what other views asked", () => {
    model.silent = true;
    void link.request("unit");
    expect(() => model.fire("msg:custom", { id: "other-1", ok: false, message: "no" })).not.toThrow();
    expect(() => model.fire("msg:custom", {})).not.toThrow();
  });

  it("names the buffers of an answer", async () => {
    model.silent = true;
    const asked = link.request("picture");
    const bytes = new DataView(new ArrayBuffer(3));
    model.fire("msg:custom", { id: model.sent[0]?.id, ok: true, blobs: ["picture"] }, [bytes]);
    expect((await asked).blobs.picture).toBe(bytes);
  });

  it("turns a refusal into a named error", async () => {
    model.answers.annotate = { ok: false, code: "bundle-write", message: "The disk is full.", hint: "Free space." };
    const error = await link.request("annotate").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ActionError);
    expect((error as ActionError).failure).toMatchObject({ code: "bundle-write", hint: "Free space." });
  });

  it("says when the kernel is busy, goes on waiting, and recovers", async () => {
    model.silent = true;
    const asked = link.request("annotate");
    vi.advanceTimersByTime(5000);
    expect(states).toEqual(["slow"]);
    model.fire("msg:custom", { id: model.sent[0]?.id, ok: true });
    await asked;
    expect(states).toEqual(["slow", "ok"]);
  });

  it("fails what waits when the kernel is gone, and refuses more until it answers again", async () => {
    model.silent = true;
    const asked = link.request("annotate").catch((e: unknown) => e);
    model.fire("comm_live_update");
    expect((await asked) as ActionError).toMatchObject({ failure: { code: "connection-lost" } });
    await expect(link.request("annotate")).rejects.toThrow("kernel");
    expect(model.sent).toHaveLength(1);
    model.silent = false;
    await link.retry();
    expect(states).toEqual(["lost", "ok"]);
    await link.request("ping");
  });

  it("notices a server that went away without a word", () => {
    model.widget_manager = { kernel: { connectionStatus: "connected", status: "idle" } };
    vi.advanceTimersByTime(6000);
    expect(states).toEqual([]);
    model.widget_manager = { kernel: { connectionStatus: "connecting" } };
    vi.advanceTimersByTime(2000);
    expect(states).toEqual([]);
    vi.advanceTimersByTime(2000);
    expect(states).toEqual(["lost"]);
  });

  it("notices a kernel restarted by somebody else", () => {
    model.widget_manager = { kernel: { connectionStatus: "connected", status: "starting" } };
    vi.advanceTimersByTime(2000);
    expect(states).toEqual(["lost"]);
  });

  it("notices a restart nobody told it of: an idle kernel that does not answer", async () => {
    model.widget_manager = { kernel: { connectionStatus: "connected", status: "busy" } };
    model.silent = true;
    const asked = link.request("annotate").catch((e: unknown) => e);
    vi.advanceTimersByTime(60_000);
    expect(states).toEqual(["slow"]);
    model.widget_manager = { kernel: { connectionStatus: "connected", status: "idle" } };
    vi.advanceTimersByTime(6000);
    expect(states).toEqual(["slow", "lost"]);
    expect((await asked) as ActionError).toMatchObject({ failure: { code: "connection-lost" } });
  });

  it("heals by itself when the line is back, with one ping at a time", async () => {
    model.widget_manager = { kernel: { connectionStatus: "connecting" } };
    vi.advanceTimersByTime(4000);
    expect(states).toEqual(["lost"]);
    model.silent = true;
    model.widget_manager = { kernel: { connectionStatus: "connected", status: "idle" } };
    vi.advanceTimersByTime(20_000);
    expect(model.sent).toHaveLength(1);
    model.fire("msg:custom", { id: model.sent[0]?.id, ok: true });
    await vi.advanceTimersByTimeAsync(0);
    expect(states).toEqual(["lost", "ok"]);
  });

  it("leaves no listener behind", () => {
    link.close();
    expect(model.listening).toBe(0);
  });
});
