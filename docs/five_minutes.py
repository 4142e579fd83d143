"""Write README's figures of the five minutes on the command line.

Runs the commands that README lists there, in an empty folder, and writes what they found between the
two marks that follow them::

    python docs/five_minutes.py
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- python docs/five_minutes.py -->\n", "<!-- end -->"
_HEADING = "## Five minutes on the command line"
_WIDTH = 100
NUMBER_WORDS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


def listed_commands(text: str) -> list[list[str]]:
    """Return the commands of README's first listing under the heading, as arguments."""
    part = text[text.index(_HEADING) :]
    found = re.search(r"^```bash\n(.*?)^```$", part, re.S | re.M)
    assert found, "README has no listing"
    joined = found[1].replace("\\\n", " ")
    lines = (shlex.split(line, comments=True) for line in joined.splitlines())
    return [words for words in lines if words]


def run_listing(text: str, folder: Path) -> dict[str, Any]:
    """Run the listed commands in a folder; return what `new`, `check` and `evaluate` say as JSON."""
    found: dict[str, Any] = {}
    for words in listed_commands(text):
        assert words[0] == "circuitz", words
        tells = words[1] in ("new", "check", "evaluate")
        command = [sys.executable, "-m", "circuitz", *words[1:], *(["--json"] if tells else [])]
        # How sums are split over threads decides their last digits.
        alike = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command, cwd=folder, env=alike, capture_output=True, text=True, check=False
        )
        # `check` ends with 1 where something is flagged.
        if done.returncode not in ((0, 1) if words[1] == "check" else (0,)):
            raise RuntimeError(f"{shlex.join(words)}: {done.stderr}")
        if tells:
            found[words[1]] = json.loads(done.stdout)
    return found


def _percent(value: float) -> str:
    digits = f"{100 * value:.1f}".removeprefix("0")
    return "0" if float(digits) == 0 else digits.removesuffix(".0")


def _cell(evaluation: dict[str, Any], present: bool) -> dict[str, Any]:
    (cell,) = [
        c
        for c in evaluation["cells"]
        if (c["class"], c["group"], c["present"]) == ("husky", "snow", present)
    ]
    return cell


def write_block(found: dict[str, Any]) -> str:
    """Return the text between the marks."""
    flagged = [
        f for f in found["check"]["findings"] if f["verdict"] == "flagged" and not f["waiver"]
    ]
    count = NUMBER_WORDS[len(flagged)] if len(flagged) < len(NUMBER_WORDS) else str(len(flagged))
    things = "thing" if len(flagged) == 1 else "things"
    accuracy = found["new"]["accuracy"]["value"]
    off = _cell(found["evaluate"], present=False)
    others = [
        c
        for c in found["evaluate"]["cells"]
        if c["class"] != "husky" and c["group"] == "snow" and c["present"]
    ]
    right, n = (sum(c[key] for c in others) for key in ("right", "n"))
    shown = [f"{f['kind']}: {f['sentence']}" for f in flagged[:2]]
    quoted = "\n\n".join(textwrap.fill(line, _WIDTH, break_on_hyphens=False) for line in shown)
    first = textwrap.fill(
        f"`new` trains a small network that is right on {_percent(accuracy)} % of the pictures held "
        f"back. `check` has {count} {things} against it, the gravest first:",
        _WIDTH,
    )
    last = textwrap.fill(
        f"And so it is: `evaluate` finds {_percent(off['accuracy'])} % [{_percent(off['low'])}, "
        f"{_percent(off['high'])}] of the huskies off snow told as huskies, and {_percent(right / n)} % "
        "of the others on snow told right. Now look, write words, and let people label with what the "
        "network knows:",
        _WIDTH,
    )
    return f"\n{first}\n\n```text\n{quoted}\n```\n\n{last}\n\n"


def block_in(text: str) -> str:
    """Return what stands between the marks now."""
    return text[text.index(START) + len(START) : text.index(END)]


def main() -> None:
    """Run the listing and rewrite README's block."""
    text = README.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        block = write_block(run_listing(text, Path(folder)))
    README.write_text(text.replace(block_in(text), block), "utf-8")


if __name__ == "__main__":
    main()
