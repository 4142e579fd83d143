"""What README says of its five minutes on the command line is what the commands there find."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Another processor rounds otherwise, and a unit or a picture falls on the other side of a bound.
NEARLY = 3.0
# So it is for the milder findings, whose bounds are near: two machines found five and eight.
FINDINGS_APART = 4


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("five_minutes", ROOT / "docs/five_minutes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def first_lines(block: str) -> list[str]:
    """Kinds of the findings shown, and what each is about."""
    (quoted,) = re.findall(r"```text\n(.*?)```", block, re.S)
    return [part.split(" ‘")[0] for part in quoted.split("\n\n")]


def percentages(block: str) -> list[float]:
    text = re.sub(r"\s+", " ", block)
    found = re.findall(r"(\d*\.?\d+) %", text)
    return [float(value) for value in found]


@pytest.mark.slow
def test_the_figures_are_those_of_the_commands(writer, tmp_path) -> None:
    text = writer.README.read_text("utf-8")
    shown = writer.block_in(text)
    made = writer.write_block(writer.run_listing(text, tmp_path))
    assert first_lines(made) == first_lines(shown)
    assert len(percentages(made)) == len(percentages(shown)) > 4
    assert percentages(made) == pytest.approx(percentages(shown), abs=NEARLY)
    said = re.search(r"`check` has (\w+) things?", re.sub(r"\s+", " ", shown))
    again = re.search(r"`check` has (\w+) things?", re.sub(r"\s+", " ", made))
    assert said is not None
    assert again is not None
    counts = [writer.NUMBER_WORDS.index(found[1]) for found in (said, again)]
    assert min(counts) > 0
    assert abs(counts[0] - counts[1]) <= FINDINGS_APART
