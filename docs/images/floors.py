"""Draw ``floors.svg``: the rooms of the package in the order of pyproject's floors.

Run it after a room was added or moved::

    python docs/images/floors.py
"""

from __future__ import annotations

import tomllib
from html import escape
from itertools import groupby
from pathlib import Path

HERE = Path(__file__).parent
PYPROJECT = HERE.parents[1] / "pyproject.toml"

# Of each room: which part of the house it belongs to, and what lives there.
ROOMS = {
    "cli": ("faces", "the command line, a command a file"),
    "demo": ("stories, benches", "the husky story and the induction story, run for real"),
    "bench": ("stories, benches", "speed beside other tools; the benchmark of the checker"),
    "widgets": ("screens", "the Studio, the labelling screen, and serving them"),
    "evaluation": ("truth", "the truth about D′, and the simulated rater"),
    "labelling": ("use", "export, questions for people, their answers, and labels"),
    "zstar": ("search", "the search for z*: weights and words together"),
    "effects": ("causes", "what drives what: ablation, edges, circuits, attribution"),
    "posterior": ("people", "how plausible a z is, how likely D’s labels are, and both together"),
    "measurement": ("measuring", "everything a check needs, measured once and stored with z"),
    "patching": ("measuring", "the engine of interventions: write, hold, read"),
    "responses": ("measuring", "what a unit responds to: sweeps, exemplars, directions"),
    "wrapping": ("measuring", "from a network and its data to a z"),
    "jobs": ("networks", "the same work in pieces, here or on a Dask cluster"),
    "data": ("networks", "D, D′ and concept sets: worlds, folders, benchmarks, texts"),
    "models": ("networks", "running a network: read it, stop at a layer, resume from it"),
    "cards": ("judging", "the card: what a rater is shown of z"),
    "plausibility": ("judging", "do words and wiring agree: words, effects, rules, report"),
    "z": ("the value", "the network with its words, as a value; edits, bundle, circuits, formats"),
    "store": ("ground", "answers of raters, append-only, in SQLite"),
    "lexicon": ("ground", "what words mean, and which kind a concept is of"),
    "disk": ("ground", "files that are safe to open and never half written"),
    "stats": ("ground", "numbers, tests and intervals"),
}
TORCH_FREE = {"widgets", "cards", "plausibility", "z", "store", "lexicon", "disk", "stats"}
# Everything from this room down is free of torch.
LOWER_HALF = "cards"

WIDTH, TOP, ROW, GAP = 900, 64, 30, 8
STYLE = """
  svg { --page: #ffffff; --ink: #1d2430; --soft: #5a6577; --line: #c9d1dc; --room: #f3f5f8;
        --free: #e3f1ea; --dot: #17794f; }
  @media (prefers-color-scheme: dark) {
    svg { --page: #14181e; --ink: #e8edf4; --soft: #a3aebd; --line: #3a4452; --room: #1e242d;
          --free: #1c3329; --dot: #5ad39b; }
  }
  text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
  .title { font-size: 17px; font-weight: 600; }
  .soft { fill: var(--soft); font-size: 13px; }
  .room { font: 600 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
  .page { fill: var(--page); }
  rect.box { fill: var(--room); stroke: var(--line); }
  rect.free { fill: var(--free); stroke: var(--line); }
  circle { fill: var(--dot); }
  path { stroke: var(--soft); fill: none; stroke-width: 1.5; }
  .wall { stroke: var(--dot); stroke-dasharray: 5 4; }
"""


def layers() -> list[str]:
    """Return the rooms from the top of the house to the ground."""
    contracts = tomllib.loads(PYPROJECT.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    floors = next(c for c in contracts if c["type"] == "layers")
    return [name.strip("()") for name in floors["layers"]]


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Return one line of text."""
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def draw() -> str:
    """Return the picture."""
    parts: list[str] = []
    y = TOP
    for part, rooms in groupby(layers(), key=lambda room: ROOMS[room][0]):
        start = y
        for room in rooms:
            if room == LOWER_HALF:
                middle = y - GAP / 2
                parts.append(f'<path class="wall" d="M 20 {middle} H {WIDTH - 20}"/>')
            free = room in TORCH_FREE
            parts.append(
                f'<rect class="{"free" if free else "box"}" x="166" y="{y}" '
                f'width="{WIDTH - 186}" height="{ROW - 4}" rx="5"/>'
            )
            if free:
                parts.append(f'<circle cx="182" cy="{y + 13}" r="4"/>')
            parts += [
                text(196, y + 18, room, "room"),
                text(316, y + 18, ROOMS[room][1]),
            ]
            y += ROW
        parts.append(text(154, (start + y) / 2 + 2, part, "soft", "end"))
        y += GAP
    height = y + 40
    legend = y + 14
    head = [
        text(20, 28, "The rooms of circuitz, in the order of their floors", "title"),
        text(20, 48, "A room imports only from rooms beneath it.", "soft"),
        f'<path d="M {WIDTH - 28} 22 V 46 M {WIDTH - 34} 39 L {WIDTH - 28} 47 L {WIDTH - 22} 39"/>',
        text(WIDTH - 42, 38, "imports go down", "soft", "end"),
        f'<circle cx="182" cy="{legend - 5}" r="4"/>',
        text(196, legend, "loads no torch. Beneath the dashed line no room does.", "soft"),
    ]
    name = "The rooms of circuitz in the order of their floors"
    about = "; ".join(f"{room}: {ROOMS[room][1]}" for room in layers())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="title about">\n'
        f'<title id="title">{name}</title>\n<desc id="about">{escape(about)}</desc>\n'
        f"<style>{STYLE}</style>\n"
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="10"/>\n'
        + "\n".join([*head, *parts])
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    (HERE / "floors.svg").write_text(draw(), encoding="utf-8")
