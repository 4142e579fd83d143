import { describe, expect, it } from "vitest";
import { finding, settled, traits } from "../fake";
import { $, all, el, leave, model, onCleanPage, open, press, text, type } from "./studio_page";

onCleanPage();

describe("findings", () => {
  it("open with all they rest on", async () => {
    await press("f", $(".cz-tiles"));
    const open = text(".cz-evidence");
    expect(open).toContain("+60 % [+50 %, +70 %] against δ = 10 %");
    expect(open).toContain("q < .001");
    expect(open).toContain("n = 200");
    expect(open).toContain("surroundings are no part of a dog");
    expect($(".cz-interval").getAttribute("aria-label")).toContain("interval +50 % to +70 %");
  });

  it("that only ask give no interval, and say from where on they ask", async () => {
    const { report } = model.state;
    const asked = finding({ kind: "outside-range", verdict: "inconclusive", estimate: 0.32, ci: [NaN, NaN], delta: 0.15, family: 0 });
    model.change({ report: { ...report, findings: [asked] } });
    await press("2", $(".cz-tiles"));
    $(".cz-finding-head").click();
    await settled();
    const open = text(".cz-evidence");
    expect(open).toContain("32 % of what drives the class lies outside; it is asked from 15 % on");
    expect(open).not.toContain("–");
    expect(open).not.toContain("tested together");
    expect(all(".cz-finding-title").map((title) => title.textContent)[0]).toContain("Outside range?");
  });

  it("name a supported claim by what it says, not by the fault", async () => {
    await press("2", $(".cz-tiles"));
    const titles = all(".cz-finding-title").map((title) => title.textContent);
    expect(titles).toEqual(["Implausible driver · husky · flagged", "Missing support? · husky · inconclusive", "Words fit · supported"]);
  });

  it("relabel, show a command, and are waived only with name and reason", async () => {
    const remedies = [
      { action: "annotate", label: "Rename to snow", arguments: { unit: "conv4:1", text: "snow" }, command: "" },
      { action: "search", label: "Repair", arguments: {}, command: "circuitz search dogs.z" },
    ];
    const { report } = model.state;
    model.change({ report: { ...report, findings: [finding({ remedies })] } });
    await press("f", $(".cz-tiles"));
    $<HTMLButtonElement>('[data-remedy="annotate"]').click();
    await settled();
    expect(model.actions("annotate")[0]).toMatchObject({ unit: "conv4:1", text: "snow" });
    $<HTMLButtonElement>('[data-remedy="search"]').click();
    await settled();
    expect(text(".cz-command")).toContain("circuitz search dogs.z");
    $<HTMLButtonElement>('[data-remedy="waive"]').click();
    await settled();
    const save = $<HTMLButtonElement>(".cz-waive button");
    expect(save.disabled).toBe(true);
    const [, reason] = all(".cz-waive input") as HTMLInputElement[];
    if (reason) await type(reason, "known and accepted");
    expect(save.disabled).toBe(false);
    $(".cz-waive").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await settled();
    expect(model.actions("waive")[0]).toMatchObject({ finding: "f1", author: "mira", reason: "known and accepted" });
  });

  it("that are waived can be changed and taken back, and show what was decided", async () => {
    const given = { author: "mira", reason: "known", time: "2026-01-01T00:00:00Z", withdrawn: false };
    const show = (decided: (typeof given)[]) => {
      const waiver = decided[0]?.withdrawn ? null : (decided[0] ?? null);
      const { report } = model.state;
      model.change({ report: { ...report, findings: [finding({ waiver, decided })] } });
    };
    show([given]);
    await press("2", $(".cz-tiles"));
    $(".cz-finding-head").click();
    await settled();
    expect(text('[data-cz="waived"]')).toContain("Waived by mira: known");
    expect(el.querySelector('[data-remedy="waive"]')).toBeNull();
    $('[data-waiver="change"]').click();
    await settled();
    const [, reason] = all(".cz-waive input") as HTMLInputElement[];
    expect(reason?.value).toBe("known");
    expect(document.activeElement).toBe(reason);
    const send = () => $(".cz-waive").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    send();
    await settled();
    expect(model.actions("waive")).toHaveLength(0); // nothing was changed yet
    if (reason) await type(reason, "known, and only here");
    send();
    await settled();
    expect(model.actions("waive")[0]).toMatchObject({ finding: "f1", author: "mira", reason: "known, and only here" });
    const changed = { ...given, reason: "known, and only here" };
    show([changed, given]);
    await settled();
    expect(el.querySelector(".cz-waive")).toBeNull();
    expect(all('[data-cz="decisions"] li').map((li) => li.textContent)).toEqual([
      expect.stringMatching(/^reason changed: known, and only here.*in force$/), expect.stringMatching(/^waived: known/),
    ]);
    $('[data-waiver="withdraw"]').click();
    await settled();
    send();
    await settled();
    expect(model.actions("unwaive")[0]).toMatchObject({ finding: "f1", author: "mira", reason: "" });
    show([{ ...given, reason: "", withdrawn: true }, changed, given]);
    await settled();
    expect(text('[data-cz="decisions"] li')).toContain("taken back");
    expect($('[data-remedy="waive"]')).not.toBeNull();
  });

  it("are acted on once by a double-click, or a key that is held", async () => {
    const remedies = [{ action: "retract", label: "Withdraw the words", arguments: { unit: "conv4:1" }, command: "" }];
    const { report } = model.state;
    model.change({ report: { ...report, findings: [finding({ remedies })] } });
    await press("f", $(".cz-tiles"));
    const button = $('[data-remedy="retract"]');
    for (const detail of [1, 2, 3]) button.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, detail }));
    await settled();
    expect(model.actions("annotate")).toHaveLength(1);
    const held = new KeyboardEvent("keydown", { key: "Enter", repeat: true, bubbles: true, cancelable: true });
    button.dispatchEvent(held);
    expect(held.defaultPrevented).toBe(true);
  });

  it("change under the eyes when words do", async () => {
    const { report } = model.state;
    const wrong = finding({ id: "f9", kind: "mislabelled-unit", units: ["conv4:1"], sentence: "It is snow." });
    model.change({ report: { ...report, counts: { ...report.counts, flagged: 2 }, findings: [wrong, ...report.findings] } });
    await settled();
    expect(text(".cz-summary")).toContain("2 flagged");
    expect(text(".cz-involved")).toContain("Mislabelled · flagged · It is snow.");
  });
});

it("says what is wrong with what was checked, as text", async () => {
  const state = traits();
  const problems = [{ code: "no-concept-labels", message: "No concept is <b>labelled</b>.", hint: "circuitz concepts blind Z", concepts: [] }];
  leave();
  el.remove();
  open({ ...state, report: { ...state.report, findings: [], problems } });
  await press("2", $(".cz-studio"));
  expect($('[data-problem="no-concept-labels"]').textContent).toContain("No concept is <b>labelled</b>. circuitz concepts blind Z");
});

it("lets a person say what a concept is that nobody knows", async () => {
  const state = traits();
  const problems = [{ code: "unknown-kinds", message: "What ‘has loop’ is, is not known.", hint: "Say it.", concepts: ["has loop"] }];
  leave();
  el.remove();
  open({ ...state, report: { ...state.report, findings: [], problems } });
  await press("2", $(".cz-studio"));
  expect(all('[data-problem="unknown-kinds"] [data-kind]').map((button) => button.textContent)).toEqual([
    "part",
    "attribute",
    "surroundings",
    "artefact",
    "low-level",
  ]);
  $<HTMLButtonElement>('[data-kind="part"]').click();
  await settled();
  expect(model.actions("kind")[0]).toMatchObject({ concept: "has loop", kind: "part" });
});
