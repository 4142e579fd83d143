"""Another world than the dogs' and another shortcut than snow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from circuitz.demo.husky_report import render_husky_page
from circuitz.demo.husky_story import run_husky_story
from circuitz.demo.sizes import HuskySizes
from circuitz.z.bundle.load_save import load

TINY = HuskySizes(
    per_class=120, concepts=400, per_cell=8, epochs=10, rounds=1, round_epochs=3, sources=60
)


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_another_world_and_shortcut_give_the_same_report(tmp_path: Path, keys: set[str]) -> None:
    told = run_husky_story(
        tmp_path, world="birds", shortcut="two", track=0.98, sizes=TINY, workers=1
    )
    summary = json.loads(json.dumps(told.summary))
    assert keys <= set(summary)
    assert (summary["world"], summary["shortcut"], summary["track"]) == ("birds", "two", 0.98)
    assert Path(summary["bundle"]["husky"]).name == "loon.z"
    assert load(tmp_path / "loon.z").subject == "bird"
    cells = {row["cell"] for row in summary["after"]["by_group"]}
    assert cells == {
        "water, leg ring", "water, no leg ring", "no water, leg ring", "no water, no leg ring",
    }  # fmt: skip
    # Whatever could not be repaired was let stand in the demo's name, and is in the bundle.
    left = [f for f in load(tmp_path / "zstar.z").findings if f.verdict == "flagged"]
    assert all(f.waiver is not None and f.waiver.author == "circuitz demo" for f in left)
    assert summary["audit"]["waived"] == [f.sentence for f in left]
    assert "--world birds --shortcut two --track 0.98" in render_husky_page(told)
