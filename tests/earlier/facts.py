"""What is read of each part of ``earlier.tar.xz``, as JSON values.

``make.py`` notes down what the version that wrote the parts reads; ``test_earlier.py`` compares it
with what the present version reads. What is not at the public face is imported here, and only here.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import runpy
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import circuitz as cz
from circuitz.errors import CircuitzError
from circuitz.labelling.export import card_in_notes, label_model_in_notes
from circuitz.labelling.tasks.pack_io import open_pack
from circuitz.labelling.tasks.session import Session
from circuitz.models.run.open_runtime import runtime
from circuitz.plausibility.words.blind_tests import blind_tests_of_current_weights
from circuitz.store.address import open_store
from circuitz.z.bundle.inputs_io import input_set_fingerprint, read_inputs
from circuitz.z.circuit.attribution_graph import graph_from_json_text
from circuitz.z.circuit.stored_circuits import graphs_by_class as kept_graphs
from circuitz.z.intervention import interventions_of as kept_interventions
from circuitz.z.visuals import visuals_of

EXPECTED = "expected.json"
LEXICON = "lexicon.yaml"
#: By name, what can be opened as a z. The last two are what a save left that was killed between
#: its two renames, and a log whose last line was cut short; reading them puts them right.
BUNDLES = (
    "start.z", "found.z", "rich.z", "rich.z.zip", "star.z", "silenced.z", "binary.z", "half.z",
    "several.z", "lean.z", "own.z", "session.z", "bare.z", "grown.z", "aside.z", "tokens.z",
    "texts.z", "llama.z", "llama-probe.z", "found.z.search/round0.z", "found.z.search/round1.z",
    "killed.z", "torn.z",
)  # fmt: skip
#: Those whose networks are built and run; the last two need the extra ``llm``.
NETWORKS = (
    "start.z", "rich.z", "star.z", "silenced.z", "binary.z", "several.z", "own.z", "tokens.z",
    "texts.z", "llama.z", "llama-probe.z",
)  # fmt: skip
FOREIGN = ("llama.z", "llama-probe.z")
PACKS = ("pack", "pack.zip", "ask", "blind")
STORES = {"answers.sqlite": "pack", "ask.sqlite": "ask", "blind.sqlite": "blind"}
INPUTS = ("start.D", "binary.D", "several.D", "several.concepts", "tokens.D", "texts.D")
WORDS = (
    "words.csv", "words.jsonl", "descriptions.csv", "neuronpedia.jsonl", "history.csv",
    "history.jsonl",
)  # fmt: skip


def everything(root: Path) -> dict[str, Any]:
    """Return what is read of all parts, in a copy that may be mended."""
    return {
        "bundles": {name: bundle(root, name) for name in BUNDLES},
        "networks": {name: network(root, name) for name in NETWORKS},
        "packs": {name: pack(root, name) for name in PACKS},
        "stores": {name: store(root, name) for name in STORES},
        "inputs": {name: inputs(root, name) for name in INPUTS},
        "words": {name: words(root, name) for name in WORDS},
        "graph": graph(root),
        "lexica": lexica(root),
        "labels": labels(root),
        "diff": diff(root),
        "search": search(root),
    }


# -- bundles --------------------------------------------------------------------------------------


def opened(root: Path, name: str) -> cz.AnnotatedModel:
    """Open a bundle; what it says of mending is among ``z.remarks``."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        return cz.load(root / name)


def bundle(root: Path, name: str) -> dict[str, Any]:
    """Return what a z is, what is kept with it, and what a check of it says."""
    z = opened(root, name)
    measured = z.measurements
    found: dict[str, Any] = {
        "name": z.name,
        "hash": z.hash,
        "weights_hash": z.weights_hash,
        "annotations_hash": z.annotations_hash,
        "concepts_hash": z.concepts_hash,
        "data_hash": z.data_hash,
        "classes": list(z.classes),
        "subject": z.subject,
        "head": z.head,
        "cut": list(z.cut),
        "layers": [layer.name for layer in z.layers],
        "bases": sorted(z.bases),
        "builder": [z.builder, z.builder_args],
        "units": len(z.units),
        "annotations": z.annotations[
            ["target", "text", "concepts", "author", "author_kind", "confidence", "time", "id"]
        ].values.tolist(),
        "history": len(z.history()),
        "undone": _undone(z),
        "stale": list(z.stale),
        "findings_stale": list(z.findings_stale),
        "parent": z.parent,
        "lineage": len(z.lineage),
        "waivers": [[w.finding, w.author, w.reason, w.time] for w in z.waivers],
        "story": digest(z.story),
        "notes": {key: digest(value) for key, value in z.notes.items()},
        "remarks": len(z.remarks),
        "findings": sorted(map(_finding, z.findings)),
        "data": None if z.data is None else len(z.data),
        "concept_set": None if z.concept_set is None else len(z.concept_set),
        "measured": None if measured is None else {
            key: [list(layer.responses.shape), float(layer.responses.mean(dtype=np.float64)),
                  layer.visualisations is not None]
            for key, layer in measured.layers.items()
        },
        "effects": None if measured is None or measured.effects is None else {
            "units": len(measured.effects.units),
            "groups": len(measured.effects.groups),
            "drive": float(np.abs(measured.effects.drive).mean(dtype=np.float64)),
            "concepts": measured.effects.concepts is not None,
        },
        "pictures": None if measured is None else sorted(measured.pictures),
        "kept": _kept(z),
    }  # fmt: skip
    if measured is not None and measured.effects is not None:
        report = cz.check(z, lexicon=_lexicon(root, name))
        found["check"] = sorted(map(_finding, report.findings))
        found["unexplained"] = {key: list(three) for key, three in report.unexplained.items()}
        found["problems"] = [problem.code for problem in report.problems]
    return plain(found)


def _undone(z: cz.AnnotatedModel) -> str:
    try:
        return z.undo().annotations_hash
    except CircuitzError:
        return ""


def _finding(finding: Any) -> list[Any]:
    return [
        finding.id, finding.kind, list(finding.units), finding.target, finding.verdict,
        finding.estimate, len(finding.effects), finding.waiver is not None,
    ]  # fmt: skip


def _lexicon(root: Path, name: str) -> cz.Lexicon:
    return cz.Lexicon.load(root / ("texts.yaml" if name == "texts.z" else LEXICON))


def _kept(z: cz.AnnotatedModel) -> dict[str, Any]:
    """Return what is typed among the notes."""
    card, learned = card_in_notes(z), label_model_in_notes(z)
    interventions, visuals = z.notes.get("interventions", {}), z.notes.get("visuals", {})
    found: dict[str, Any] = {
        "graphs": {name: _graph(one) for name, one in kept_graphs(z).items()},
        "interventions": {
            name: [one.to_json() for one in kept_interventions(z, name)] for name in interventions
        },
        "visuals": {unit: [len(run.pictures) for run in visuals_of(z, unit)] for unit in visuals},
        "blind tests": [list(key) for key in blind_tests_of_current_weights(z)],
    }
    if card is not None:
        found["card"] = {
            "hash": card.hash, "classes": list(card.names), "concepts": list(card.concepts),
            "units": list(card.units), "text": digest(card.to_text()),
            "page": digest(card.to_html()),
        }  # fmt: skip
    if learned is not None:
        columns = len(learned.to_json()["centre"])
        draw = np.random.default_rng(0)
        found["label model"] = learned.predict_proba(
            draw.random((5, columns)), draw.random((5, len(z.classes)))
        ).tolist()
    return found


def _graph(one: Any) -> dict[str, Any]:
    back = one.undo().supernodes if one.supernodes else None
    return {
        "target": one.target, "layers": list(one.layers),
        "nodes": [[n.id, n.kind, n.influence, n.words] for n in one.nodes],
        "edges": [[e.source, e.target, e.share, e.low, e.high] for e in one.edges],
        "by hand": one.supernodes, "before": back,
    }  # fmt: skip


def network(root: Path, name: str) -> list[Any]:
    """Build a z's network, run it on fixed inputs; return its logits."""
    z = opened(root, name)
    draw = np.random.default_rng(1)
    height, width = z.preprocessing.size
    if z.preprocessing.is_tokens:
        known = len(z.data.vocabulary) if z.data is not None else 8
        images = draw.integers(0, known, (3, width), dtype=np.int32)
    else:
        images = draw.integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    with trusted(root):
        return plain(runtime(z).logits(images).tolist())


@contextlib.contextmanager
def trusted(root: Path) -> Iterator[None]:
    """Let the network of ``own.z`` be built by the function that lies beside it."""
    before, place = os.environ.get("CIRCUITZ_TRUST_CODE"), Path.cwd()
    os.environ["CIRCUITZ_TRUST_CODE"] = "blocknet:build"
    os.chdir(root)
    try:
        yield
    finally:
        os.chdir(place)
        del os.environ["CIRCUITZ_TRUST_CODE"]
        if before is not None:
            os.environ["CIRCUITZ_TRUST_CODE"] = before


# -- people -----------------------------------------------------------------------------------------


def pack(root: Path, name: str) -> dict[str, Any]:
    """Return what a task pack asks."""
    made = open_pack(root / name)
    return plain({
        "hash": made.hash, "task": made.task, "name": made.name,
        "kinds": Counter(q.kind for q in made.questions),
        "classes": list(made.classes), "words": list(made.words), "card": made.card.hash,
        "z": made.z_hash, "gold": dict(made.gold), "seed": made.seed, "overlap": made.overlap,
        "lease": made.lease, "guidelines": digest(made.guidelines), "plan": digest(made.plan),
        "questions": [[q.id, q.kind, q.item, q.picture, q.word, len(q.seen)] for q in made.questions],
        "pictures": len(made.pictures), "exemplars": sorted(made.exemplars),
        "heat": [list(made.heat.shape), int(made.heat.sum())],
        "options": [list(made.options(who)[0]) for who in ("ana", "ben")],
    })  # fmt: skip


def store(root: Path, name: str) -> dict[str, Any]:
    """Return what a store of judgements holds, and how far raters are with their pack."""
    kept, asked = open_store(root / name), open_pack(root / STORES[name])
    rows = [row.to_dict() for row in kept.rows(current=False)]
    raters = sorted({row["rater"] for row in rows})
    found = {
        "all": len(kept),
        "history": digest(rows),
        "current": digest([row.to_dict() for row in kept.rows()]),
        "rater kinds": Counter(row["rater_kind"] for row in rows),
        "uses": Counter(row["use"] for row in rows),
        "withdrawn": sum(row["answer"] is None for row in rows),
        "superseding": sum(bool(row["supersedes"]) for row in rows),
        "standing": {},
    }
    for rater in raters:  # answered, put off, before somebody else
        # By the clock the leases were given by: to a right one they are of a time to come.
        at = Session(asked, kept, rater, clock=lambda: 4.0e9 + 1)
        now = at.rater_progress()
        found["standing"][rater] = [
            now.answered, now.left, now.aside, now.elsewhere,
            [row["choice"] for row in at.recent_answers(5)],
        ]  # fmt: skip
    if name == "answers.sqlite":
        said = run("labels", "collect", "--store", root / name, "--tasks", root / "pack", "--json")
        found["collected"] = json.loads(said)
    return plain(found)


def labels(root: Path) -> dict[str, Any]:
    """Score the labels of M_L_test by the truth beside them."""
    said = run("evaluate", root / "star.z", "--images", root / "shifted", "--truth",
               root / "truth.csv", "--labels", root / "labels.csv", "--json")  # fmt: skip
    scores = json.loads(said)
    return plain({key: scores[key] for key in ("accuracy", "worst", "classes", "cells", "others")})


# -- files ------------------------------------------------------------------------------------------


def inputs(root: Path, name: str) -> dict[str, Any]:
    """Return what a folder of inputs holds."""
    made = read_inputs(root / name)
    arrays = ("images", "labels", "concepts", "split", "scene", "masks", "pairs", "focus")
    return plain({
        "fingerprint": input_set_fingerprint(made), "n": len(made), "role": made.role, "recipe": made.recipe,
        "classes": list(made.classes), "concepts": list(made.concept_names),
        "masks": list(made.mask_names), "vocabulary": digest(list(made.vocabulary)),
        "arrays": {key: [str(a.dtype), list(a.shape), float(np.nansum(a, dtype=np.float64))]
                   for key in arrays if (a := getattr(made, key)) is not None},
    })  # fmt: skip


def words(root: Path, name: str) -> dict[str, Any]:
    """Say what taking words of a file over into the z they are of would do."""
    said = json.loads(run("annotate", root / "rich.z", "--from", root / name, "--dry-run", "--json",
                          code=None))  # fmt: skip
    return plain({key: said[key] for key in ("format", "history", "counts", "conflicts")})


def graph(root: Path) -> dict[str, Any]:
    """Return what an attribution graph holds."""
    return plain(_graph(graph_from_json_text((root / "husky.json").read_text(encoding="utf-8"))))


def lexica(root: Path) -> dict[str, Any]:
    """Return what files of words say of some."""
    found: dict[str, Any] = {"hash": cz.Lexicon.load(root / LEXICON).hash}
    for file, word, subject in (
        (LEXICON, "fluffy tail", "dog"), (LEXICON, "snowdrift", "dog"), (LEXICON, "shade", "dog"),
        ("own.yaml", "horn cone", "giraffe"), ("own.yaml", "collar", "dog"),
        ("texts.yaml", "sea words", "nurse"),
    ):  # fmt: skip
        said = json.loads(run("concepts", "kind", word, "--class", subject, "--lexicon",
                              root / file, "--json", code=None))  # fmt: skip
        found[f"{file}: {word}"] = [said["entry"], said["verdict"], said["kind"]]
    return plain(found)


def diff(root: Path) -> dict[str, int]:
    """Return what differs between two bundles, counted."""
    said = json.loads(run("diff", root / "start.z", root / "rich.z", "--json"))
    rows = said["differences"]
    return plain(dict(Counter(f"{row['what']}: {row['change']}" for row in rows)))


def search(root: Path, rounds: int = 1) -> dict[str, Any]:
    """Go on with the search that was killed, in a copy; return its scores and what it found."""
    out = root / f"resumed{rounds}" / "found.z"
    shutil.copytree(root / "found.z.search", out.with_name("found.z.search"))
    said = run("search", root / "start.z", "--out", out, "--rounds", rounds, "--rate", 0.0005,
               "--lexicon", root / LEXICON, "--json")  # fmt: skip
    z = cz.load(out)
    return plain({"hash": z.hash, "weights_hash": z.weights_hash, "notes": json.loads(said)})


# -- helpers ----------------------------------------------------------------------------------------


def run(*words: object, code: int | None = 0, keys: str = "") -> str:
    """Run ``python -m circuitz`` in this process and return its standard output."""
    said, told = io.StringIO(), io.StringIO()
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["circuitz", *map(str, words)], io.StringIO(keys)
    stopped: Any = 0
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            runpy.run_module("circuitz", run_name="__main__")
    except SystemExit as stop:
        stopped = stop.code or 0
    finally:
        sys.argv, sys.stdin = before
    if code is not None and stopped != code:
        raise AssertionError(f"{words}: {stopped}\n{said.getvalue()}\n{told.getvalue()}")
    return said.getvalue()


def digest(value: Any) -> str:
    """Return a short hash of JSON values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plain(value: Any) -> Any:
    """Return JSON values as they come back from JSON, without NaN."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
