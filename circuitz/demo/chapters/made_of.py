"""What the story was made of, so that anybody can make it again."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from circuitz import __version__
from circuitz.demo.chapters.chapter_parts import story_world
from circuitz.demo.sizes import FULL, QUICK
from circuitz.z.model import AnnotatedModel

if TYPE_CHECKING:
    from circuitz.demo.husky_story import HuskyStory

_PACKAGES = ("torch", "numpy", "scipy", "pandas", "scikit-learn", "pillow", "safetensors")
_SIZES = {
    "per_class": "images of D a class",
    "concepts": "images of the concept set",
    "per_cell": "images of D′ a class and cell",
    "epochs": "passes over D at first",
    "rounds": "rounds of the search, at most",
    "round_epochs": "passes over D in a round",
    "sources": "source images a split for effects",
}


def provenance_chapter_context(story: HuskyStory) -> dict[str, Any]:
    """Return seeds, sizes, hashes, versions and the command."""
    summary = story.summary
    sizes = dict(summary.get("sizes", {}))
    full = bool(summary.get("full"))
    usual = vars(FULL if full else QUICK)
    renamed = story.shifted.truth.classes != story_world(story).classes
    told = {"world": "dogs", "shortcut": "ground", "track": 1.0}
    other = "".join(
        f" --{name} {summary[name]:g}" if name == "track" else f" --{name} {summary[name]}"
        for name, usual_one in told.items()
        if summary.get(name, usual_one) != usual_one
    )
    command = f"circuitz demo{other} --seed {int(summary['seed'])}{' --full' if full else ''}"
    return {
        "command": command,
        "seed": int(summary["seed"]),
        "full": full,
        # With sizes of one's own the command alone would make another story.
        "own_sizes": bool(sizes) and sizes != usual,
        "renamed": list(story.shifted.truth.classes) if renamed else [],
        "facts": [
            ("world", f"{summary.get('world', '')}, shortcut: {summary.get('shortcut', '')}"),
            ("share of pictures that follow the shortcut", f"{float(summary.get('track', 1)):.0%}"),
            ("seed", str(summary["seed"])),
            *((_SIZES.get(name, name), f"{value:,}") for name, value in sizes.items()),
            ("seconds", f"{float(summary.get('seconds', 0)):,.0f}"),
        ],
        "bundles": [
            {"name": PurePath(summary["bundle"][key]).name, "hashes": _nonempty_hashes_by_label(z)}
            for key, z in (("husky", story.husky), ("zstar", story.zstar))
            if key in summary.get("bundle", {})
        ],
        "lexicon": str(story.before.hashes.get("lexicon", "")),
        "settings": [
            (key.replace("_", " "), str(value)) for key, value in story.before.settings.items()
        ],
        "versions": [("circuitz", __version__), ("Python", platform.python_version())]
        + [(name, found) for name in _PACKAGES if (found := _installed_version_or_empty(name))],
    }


def _nonempty_hashes_by_label(z: AnnotatedModel) -> list[tuple[str, str]]:
    named = {
        "z": z.hash,
        "weights": z.weights_hash,
        "annotations": z.annotations_hash,
        "concept set": z.concepts_hash,
        "D": z.data_hash,
        "made from": z.parent,
    }
    return [(name, value) for name, value in named.items() if value]


def _installed_version_or_empty(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
