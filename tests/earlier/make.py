"""Makes ``earlier.tar.xz``: a little of everything that a version writes to disk.

Later versions must go on opening it: ``tests/unit/z/bundle/test_earlier.py`` opens every part and
compares what it reads with ``expected.json``, which is what the version that wrote them read.

Run it with the version that is to be remembered (it uses that version's Python, and ``facts.py``
beside it, so both follow the names of the code they lie with)::

    python tests/earlier/make.py [tests/earlier/earlier.tar.xz]

Of the archives there now ``earlier`` is of 0.1.0 before the great renaming: schema 1 of bundle,
inputs, task pack, card, label model and store, version 1 of the attribution graph; and
``before_judgements`` of the last version whose cards told words that hold alone: schema 2 of the
store. To make one takes half a minute of one core's time, and the extra ``llm``.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import lzma
import os
import shutil
import sys
import tarfile
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import facts
import numpy as np
import torch
from facts import run
from PIL import Image
from safetensors.numpy import save_file

import circuitz as cz
from circuitz.data.text.induction_model import SmallTransformer
from circuitz.data.text.repeating_sequences import attention_pairs, make_repeating_sequences
from circuitz.data.text.text_words import FAMILIES, NAMES
from circuitz.data.text.train_tokens import train_with_one_cycle_rate
from circuitz.disk.hashing import picture_hash
from circuitz.effects.circuit.graph import graph
from circuitz.labelling.tasks.pack_io import open_pack
from circuitz.labelling.tasks.session import Session
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import LOSSES, Recipe, fit
from circuitz.store.address import open_store
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import write_inputs
from circuitz.z.finding import Waiver
from circuitz.z.inputs import InputSet
from circuitz.z.intervention import Intervention, with_interventions
from circuitz.z.layer import LayerSpec, Preprocessing
from circuitz.z.model import AnnotatedModel
from circuitz.z.visuals import VisualisationRun, with_visualisation_run
from circuitz.zstar.search import search
from circuitz.zstar.search_settings import SearchSettings

SIDE = 24
HOW = Preprocessing(size=(SIDE, SIDE))
PARTS = ("ears", "tail", "legs")
GROUNDS = ("snow", "grass", "sand")
CLASSES = {"husky": (1, 1, 0), "corgi": (1, 0, 1), "beagle": (0, 1, 1)}
_GROUND = ((240, 240, 240), (64, 144, 112), (208, 176, 112))
_PART = ((208, 32, 32), (32, 64, 208), (144, 32, 176))
#: A lexicon of its own, so that findings do not change when the shipped one learns a word.
LEXICON = """\
version: 1
extends: none
categories:
  animal: {members: [dog]}
concepts:
  ears: {kind: part, part_of: [animal], synonyms: [ear]}
  tail: {kind: part, part_of: [animal]}
  legs: {kind: part, part_of: [animal], synonyms: [leg, paws]}
  whiskers: {kind: part, part_of: [animal]}
  fluffy tail: {kind: attribute, is_a: tail, adjectives: [fluffy]}
  snow: {kind: surroundings, synonyms: [snowdrift]}
  grass: {kind: surroundings}
  sand: {kind: surroundings}
  shade: {kind: low-level}
"""
#: A network of somebody's own, which a bundle names as package.module:function.
BLOCKNET = '''\
"""A network of one's own: bundles name it as blocknet:build."""

from torch import nn


def build(width: int = 3) -> nn.Module:
    """Return a small network for pictures of blocks."""
    return nn.Sequential(
        nn.Conv2d(3, width, 4, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(width, 3),
    )
'''


# -- a world whose pictures compress --------------------------------------------------------------


def blocks(parts: np.ndarray, ground: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Paint a grey square with a bar a part; return images and masks (1 body, 2 ground)."""
    draw = np.random.default_rng(seed)
    n = len(ground)
    light = draw.integers(-3, 4, (n, 1, 1, 1)) * 8
    images = np.array(_GROUND)[ground][:, None, None] + light + np.zeros((n, SIDE, SIDE, 3), int)
    masks = np.full((n, SIDE, SIDE), 2, np.uint8)
    for i in range(n):
        for _ in range(6):  # specks, so that no two pictures are the same
            top, left = draw.integers(0, SIDE - 3, 2)
            images[i, top : top + 3, left : left + 3] += int(draw.integers(-3, 4)) * 12
        y, x = draw.integers(6, 9), draw.integers(5, 9)
        boxes = [((y, y + 10, x, x + 10), (128, 128, 128))]
        places = (
            (y - 4, y, x + 1, x + 9),
            (y + 1, y + 9, x + 10, x + 14),
            (y + 10, y + 14, x + 1, x + 9),
        )
        boxes += [(places[p], _PART[p]) for p in range(3) if parts[i, p]]
        for (top, bottom, left, right), colour in boxes:
            images[i, top:bottom, left:right] = np.array(colour) + int(draw.integers(-1, 2)) * 8
            masks[i, top:bottom, left:right] = 1
    return images.clip(0, 255).astype(np.uint8), masks


def labelled(n: int, seed: int, *, shortcut: bool) -> InputSet:
    """Return a set of the three classes; with the shortcut, snow means husky."""
    draw = np.random.default_rng(seed)
    label = np.repeat(np.arange(3), n)
    ground = draw.integers(0, 3, 3 * n)
    if shortcut:
        ground = np.where(label == 0, 0, draw.integers(1, 3, 3 * n))
    images, _ = blocks(np.array(list(CLASSES.values()))[label], ground, seed)
    split = np.resize(np.array([0, 0, 0, 1, 2], np.uint8), 3 * n)
    return InputSet(images, labels=label, classes=tuple(CLASSES), split=split)


def mongrels(n: int, seed: int) -> InputSet:
    """Return combinations that are no class, on any ground, with concepts and masks."""
    draw = np.random.default_rng(seed)
    combos = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
    parts, ground = combos[draw.integers(0, 5, n)], draw.integers(0, 3, n)
    images, masks = blocks(parts, ground, seed)
    return InputSet(
        images,
        concepts=np.concatenate([parts, np.eye(3)[ground]], 1).astype(np.float32),
        concept_names=PARTS + GROUNDS,
        split=draw.choice(3, n, p=(0.4, 0.3, 0.3)).astype(np.uint8),
        scene=np.arange(n),
        masks=masks,
        mask_names=("", "body", "surroundings"),
        role="concepts",
    )


def rows_of(inputs: InputSet, rows: Any) -> InputSet:
    """Return some rows of a set."""
    names = ("images", "labels", "concepts", "split", "scene", "masks", "focus")
    some = {n: a[rows] for n in names if (a := getattr(inputs, n)) is not None}
    return replace(inputs, **some)


# -- doing ----------------------------------------------------------------------------------------


def small(z: AnnotatedModel, groups: int = 2) -> AnnotatedModel:
    """Return z with few of the pictures of sets of units at work, and these small."""
    measured = z.measurements
    assert measured is not None
    pictures = dict(measured.pictures)
    drawn = {name for names in measured.group_pictures.values() for name in names}
    for name in drawn:
        del pictures[name]
    kept: dict[str, tuple[str, ...]] = {}
    for group, names in sorted(measured.group_pictures.items())[:groups]:
        thumbs = [thumb(measured.pictures[name]) for name in names]
        kept[group] = tuple(picture_hash(data) for data in thumbs)
        pictures |= dict(zip(kept[group], thumbs, strict=True))
    return z.with_(measurements=replace(measured, pictures=pictures, group_pictures=kept))


def thumb(data: bytes) -> bytes:
    """Return a picture much smaller."""
    image = Image.open(io.BytesIO(data))
    image.thumbnail((32, 32))
    out = io.BytesIO()
    image.quantize(16).save(out, "PNG", optimize=True)
    return out.getvalue()


def png(image: np.ndarray, place: Path | None = None) -> bytes:
    """Return a picture as PNG, and write it."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG", optimize=True)
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(out.getvalue())
    return out.getvalue()


def fill(path: Path, answer: Any) -> None:
    """Answer the questions of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for i, row in enumerate(rows):
        row["answer"], row["rater"] = answer(i, row), ("ana", "ben")[i % 2]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


# -- the parts --------------------------------------------------------------------------------------


def start() -> AnnotatedModel:
    """A network that learned snow, measured, named by a rule, checked; D beside it."""
    Path("lexicon.yaml").write_text(LEXICON, encoding="utf-8")
    lexicon = cz.Lexicon.load("lexicon.yaml")
    data = labelled(40, 1, shortcut=True)
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 3, "widths": [4, 6, 8], "strides": [2, 2, 1]})
    rows = np.flatnonzero(data.split == 0)
    assert data.labels is not None
    recipe = Recipe(epochs=25, rate=1e-2, batch=32, flip=False)
    fit(net, data.images[rows], data.labels[rows], HOW, recipe)
    z = cz.wrap(
        net, data, layers=["conv2", "conv3"], classes=data.classes, preprocess=HOW, subject="dog",
        name="start",
    )  # fmt: skip
    z = cz.measure(z, mongrels(160, 2), visualise=True, pictures=False, lexicon=lexicon)
    z = cz.propose(z, lexicon=lexicon)
    z = cz.measure(z, pictures=False, lexicon=lexicon)
    z = small(cz.illustrate(z, lexicon=lexicon))
    write_inputs("start.D", data)
    z = z.with_(
        data_ref=DataRef.referring_to(data, "start.D"),
        live=None,
        findings=cz.check(z, lexicon=lexicon).findings,
    )
    z.save("start.z")
    return z


def searched() -> None:
    """A search that was killed in its second round, and the z that it would have found."""
    lexicon = cz.Lexicon.load("lexicon.yaml")
    z = cz.load("start.z")

    def stop(what: str, _done: int, _total: int) -> None:
        if what.startswith("round 2: train"):
            raise KeyboardInterrupt

    # As the command's --rounds 2 --rate 0.0005 has it: too gentle to repair anything.
    how = SearchSettings(rounds=2, rate=5e-4)
    with contextlib.suppress(KeyboardInterrupt):
        search(z, settings=how, lexicon=lexicon, checkpoint="found.z.search", progress=stop)
    for place in sorted(Path("found.z.search").glob("round*.z")):
        small(cz.load(place)).save(place)
    shutil.copytree("found.z.search", "other.search")
    found = search(z, settings=replace(how, rounds=1), lexicon=lexicon, checkpoint="other.search")
    small(found.z).save("found.z")
    shutil.rmtree("other.search")


def rich() -> None:
    """Everything that commands, Python and the Studio keep in a z."""
    shutil.copytree("start.z", "rich.z")
    z = cz.load("rich.z")
    units = list(z.annotations.target)
    # Words by a file, a person, a model; about units, groups, edges, classes; taken back, restored.
    Path("words.csv").write_text(
        f'unit,text,author\n{units[0]},"paws, I think",mira\nconv3:7,shade,mira\n', encoding="utf-8"
    )
    run("annotate", "rich.z", "--from", "words.csv", "--on-conflict", "replace",
        "--author", "mira", "--lexicon", "lexicon.yaml")  # fmt: skip
    lexicon = cz.Lexicon.load("lexicon.yaml")
    z = cz.load("rich.z")
    seen = sorted(z.measurements.pictures)[:1] if z.measurements is not None else []
    z = z.annotate("conv3:1", "snow — “drifts” 雪", author="Åsa", confidence=0.75, evidence=seen,
                   lexicon=lexicon)  # fmt: skip
    z = z.annotate("group:conv3:0,conv3:2", "a dog's outline", author="ben", concepts=("legs",))
    z = z.annotate("edge:conv2:0->conv3:1", "makes it", author="gpt", author_kind="model")
    z = z.annotate("output:husky", "what stands on snow", author="mira")
    z = z.annotate("conv2:3", "grass", author="mira").undo("mira")
    z = z.annotate("conv2:2", "sand", author="ben").undo("ben").redo("ben").retract("conv2:2")
    z.save("rich.z")
    # Labels by people, twice, the second taken back; a blind test of a word without labels.
    run("concepts", "ask", "rich.z", "shade", "--n", 10, "--tasks", "ask", "--store", "ask.sqlite",
        "--raters", 2, "--export", "ask.csv", "--lexicon", "lexicon.yaml")  # fmt: skip
    fill(Path("ask.csv"), lambda i, _row: ("yes", "no", "?", "x", "1", "0")[i % 6])
    words = ("concepts", "ask", "rich.z", "shade", "--tasks", "ask", "--store", "ask.sqlite",
             "--lexicon", "lexicon.yaml")  # fmt: skip
    run(*words, "--answers", "ask.csv")
    run(*words, "--here", "--rater", "cleo", keys="y\nn\nu\n?\nq\n")
    shutil.rmtree("ask-pictures")
    run("concepts", "ask", "rich.z", "fluffy tail", "--n", 4, "--tasks", "fluffy", "--store",
        "fluffy.sqlite", "--export", "fluffy.csv", "--lexicon", "lexicon.yaml")  # fmt: skip
    fill(Path("fluffy.csv"), lambda i, _row: "yn"[i % 2])
    run("concepts", "ask", "rich.z", "fluffy tail", "--tasks", "fluffy", "--store", "fluffy.sqlite",
        "--answers", "fluffy.csv", "--lexicon", "lexicon.yaml")  # fmt: skip
    run("concepts", "ask", "rich.z", "--undo")
    for place in ("fluffy", "fluffy-pictures"):
        shutil.rmtree(place)
    for file in ("fluffy.csv", "fluffy.sqlite"):
        Path(file).unlink()
    cz.load("rich.z").annotate("conv3:6", "whiskers", author="mira", lexicon=lexicon).save("rich.z")
    blind = ("concepts", "blind", "rich.z", "conv3:6", "--word", "whiskers", "--pairs", 6,
             "--tasks", "blind", "--store", "blind.sqlite", "--lexicon", "lexicon.yaml")  # fmt: skip
    run(*blind, "--export", "blind.csv")
    plan = open_pack("blind").plan
    fill(
        Path("blind.csv"), lambda _i, row: "ny"[plan[row["question"]]["tests"]["conv3:6"] == "hard"]
    )
    run(*blind, "--answers", "blind.csv")
    shutil.rmtree("blind-pictures")
    # Bases of every kind, with words on directions; circuits along units and along directions.
    for how in ("pca", "nmf", "concepts", "probes", "sae"):
        run("directions", "rich.z", "--layer", "conv3", "--how", how, "--count", 2)
    run("directions", "rich.z", "--layer", "conv2", "--how", "nmf", "--count", 2, "--name", "parts")
    z = cz.directions(cz.load("rich.z"), "conv3", np.eye(8, dtype=np.float32)[:2], name="mine")
    for kind in ("jumprelu", "topk"):
        z = cz.directions(z, "conv3", saelens(Path("sae"), kind), name=kind)
    shutil.rmtree("sae")
    z = z.annotate("conv3@nmf:1", "ears", author="mira", lexicon=lexicon)
    z = cz.measure(z, pictures=False, lexicon=lexicon)
    z.save("rich.z")
    run("graph", "rich.z", "--class", "husky", "--images", 12, "--out", "husky.json")
    run("graph", "rich.z", "--class", "corgi", "--images", 12, "--basis", "conv2@parts")
    z = cz.load("rich.z")
    shown = z.graph("husky")
    together = [n.id for n in shown.nodes if n.kind == "unit" and n.layer == "conv3"][:2]
    shown = shown.merge(together, "one").rename("one", "the outline")
    z = z.with_graph(shown.merge([*together], "again") if not shown.supernodes else shown)
    # Interventions of every kind, optimised inputs, decisions and a look at audit.
    z = with_interventions(z, "cut snow", [
        Intervention("conv3", (1,), "zero"), Intervention("conv3", (0, 2), "mean"),
        Intervention("conv2", (3,), "resample", seed=7),
        Intervention("conv3", (4,), "patch", donors=(0, 1, 2)),
        Intervention("conv3", (5,), "clamp", value=(0.5,), positions=(0, 3)),
    ])  # fmt: skip
    z = with_interventions(
        z, "along", [Intervention("conv3@nmf", (0, 1), "steer", value=(1.5, -0.25))]
    )
    flat = np.zeros((2, 8, 8, 3), np.uint8)
    flat[1] = 200
    z = with_visualisation_run(
        z, "conv3:1", [png(p) for p in flat], VisualisationRun((), steps=16, seed=3)
    )
    z = with_visualisation_run(
        z, "conv3@nmf:1", [png(flat[1])], VisualisationRun((), "maco", 8, negative=True)
    )
    report = cz.check(z, lexicon=lexicon)
    exact = cz.effect(
        z, "conv3:1", "output:husky", held=["conv3:5"], images=12, delta=0.2, level=0.9, seed=3
    )
    exact = replace(exact, intervention="clamp", metric="logit")  # no field at its default
    first, *others = report.items
    z = z.with_(
        findings=(replace(first, effects=(*first.effects, exact)), *others),
        waivers=(Waiver(report.flagged[0].id, "mira", "We know.", "2026-01-31T12:00:00+00:00"),),
        story="# A story\n\nIt saw *snow* — ‘drifts’.\n",
    )
    z.save("rich.z")
    run("check", "rich.z", "--split", "audit", "--lexicon", "lexicon.yaml")
    z = cz.load("rich.z")
    z.save("rich.z.zip")
    forms = {"descriptions.csv": "clip-dissect", "neuronpedia.jsonl": "neuronpedia"}
    for name in facts.WORDS:
        more = ["--history"] if name.startswith("history") else []
        run("annotations", "rich.z", "--to", name, "--format", forms.get(name, "auto"),
            "--overwrite", *more)  # fmt: skip


def saelens(place: Path, kind: str) -> Path:
    """Write a sparse autoencoder as SAELens does."""
    place.mkdir(exist_ok=True)
    draw = np.random.default_rng(0)
    cfg = {"architecture": kind, "k": 1, "normalize_activations": "layer_norm"}
    (place / "cfg.json").write_text(json.dumps(cfg), encoding="utf-8")
    arrays = {
        "W_enc": draw.random((8, 2)), "W_dec": draw.random((2, 8)), "b_enc": np.zeros(2),
        "b_dec": np.zeros(8),
    }  # fmt: skip
    if kind == "jumprelu":
        arrays["threshold"] = np.full(2, 0.1)
    save_file(
        {n: np.ascontiguousarray(a, np.float32) for n, a in arrays.items()},
        place / "sae_weights.safetensors",
    )
    return place


def starred() -> None:
    """z* as exported, with waivers and card; D′, packs, answers, a label model, labels."""
    lexicon = cz.Lexicon.load("lexicon.yaml")
    flagged = cz.check(cz.load("found.z"), split="audit", lexicon=lexicon).flagged
    shutil.copytree("found.z", "from.z")
    run("export", "from.z", "--out", "star.z", "--author", "mira", "--reason", "Known, and small.",
        "--lexicon", "lexicon.yaml", "--sign", "words-on-d", *(w for f in flagged for w in ("--waive", f.id)))  # fmt: skip
    shutil.rmtree("from.z")
    shifted = labelled(18, 9, shortcut=False)
    assert shifted.labels is not None
    truth = ["path,class,snow"]
    for i, (image, label) in enumerate(zip(shifted.images, shifted.labels, strict=True)):
        png(image, Path(f"shifted/{i:02}.png"))
        truth.append(f"shifted/{i:02}.png,{shifted.classes[label]},{int(image[0, 0, 2] > 200)}")
    Path("truth.csv").write_text("\n".join(truth) + "\n", encoding="utf-8")
    Path("gold.csv").write_text("\n".join(["path,class", *(t[:-2] for t in truth[1:54:18])]) + "\n")
    make = ("tasks", "make", "star.z", "--images", "shifted", "--gold", "gold.csv", "--limit", 48,
            "--repeats", 2, "--overlap", 2, "--lease", 604800)  # fmt: skip
    run(*make, "--out", "pack")
    run(*make, "--out", "pack.zip")
    answered(shifted)
    store = ("--store", "answers.sqlite", "--tasks", "pack")
    run("labels", "train", "star.z", *store, "--images", "shifted", "--out", "labels.csv", "--keep")
    for file in ("answers.csv", "answers.jsonl"):
        run("labels", "collect", *store, "--to", file)
    open_store("answers.sqlite").export_jsonl("judgements.jsonl")


def answered(shifted: InputSet) -> None:
    """Answers of every sort: raters of all kinds, changed, withdrawn, put off; leases that last."""
    pack, store = open_pack("pack"), open_store("answers.sqlite")
    assert shifted.labels is not None
    right = {f"{i:02}.png": shifted.classes[k] for i, k in enumerate(shifted.labels.tolist())}
    for number, (rater, kind) in enumerate(
        (("ana", "person"), ("ben: the second", "person"), ("sim", "simulated"), ("gpt", "model"))
    ):
        # Leases run by a clock far ahead, so that they are still in force when they are read.
        at_work = Session(pack, store, rater, kind=kind, clock=lambda: 4.0e9)  # type: ignore[arg-type]
        chosen, _ = at_work.next_questions()
        for i in range(34):
            if not chosen:
                break
            question = chosen[0]
            key = f"key-{number}-{i:04}"
            choice = right[Path(question.path).name]
            if i == 3:
                at_work.set_question_aside(question.id)
            elif i == 4:
                at_work.answer(question.id, "cannot tell", key)
            elif i == 5:
                at_work.answer(question.id, "not usable", key, seconds=2.5)
            else:
                at_work.answer(question.id, choice, key, seconds=1.0 + i)
            if i == 6:  # somebody changes their mind
                at_work.answer(question.id, pack.classes[0], f"{key}-again")
            if i == 7:  # or takes an answer back
                at_work.withdraw(question.id)
            chosen, _ = at_work.next_questions()


def variants() -> None:
    """Heads, builders, notes and sets of other kinds; small, and measured where that is cheap."""
    data, known = labelled(25, 4, shortcut=True), mongrels(70, 5)
    two = rows_of(data, data.labels != 2)
    assert two.labels is not None
    two = replace(two, labels=1 - two.labels, classes=("corgi", "husky"))
    torch.manual_seed(0)
    small_net = {"widths": [3, 4], "strides": [2, 2]}
    net = build("small-cnn", {"classes": 1, **small_net})
    rows = np.flatnonzero(two.split == 0)
    recipe = Recipe(epochs=40, rate=2e-2, batch=16, flip=False)
    fit(net, two.images[rows], two.labels[rows], HOW, recipe, loss=LOSSES["binary"])
    z = cz.wrap(net, two, layers=["conv2"], preprocess=HOW, subject="dog", name="binary")
    write_inputs("binary.D", two)
    z = z.with_(data_ref=DataRef.referring_to(two, "binary.D"), live=None)
    # Not measured yet, with finished pieces of the pass and of the effects beside it.
    z.with_(concept_set=known).save("half.z")
    shutil.copytree("half.z", "done.z")
    run("measure", "done.z", "--checkpoint", "half.shards", "--shards", 2, "--lexicon",
        "lexicon.yaml")  # fmt: skip
    run("ablate", "done.z", "--checkpoint", "half.ablated", "--images", 6, "--json")
    z = small(cz.load("done.z")).with_(name="binary")
    z.save("binary.z")
    # Measured as versions before this one did: less of everything that came later.
    measured = z.measurements
    assert measured is not None
    assert measured.effects is not None
    layers = {
        name: replace(layer, statistics=None, spectrum=None, clarity=None, values="", relevant=None)
        for name, layer in measured.layers.items()
    }
    effects = replace(measured.effects, margin=None, concepts=None)
    z.with_(measurements=replace(measured, layers=layers, effects=effects)).save("lean.z")
    shutil.rmtree("done.z")
    # Several labels an image, in arrays of every sort, the concept set beside the bundle.
    assert known.concepts is not None
    several = InputSet(
        known.images[:30], labels=known.concepts[:30, :2].astype(np.int64), classes=("ears", "tail"),
        concepts=np.where(known.concepts[:30] == 1, 1, np.nan).astype(np.float32),
        concept_names=known.concept_names, split=known.split[:30] if known.split is not None else None,
        scene=np.arange(30) // 2, masks=known.masks[:30] if known.masks is not None else None,
        mask_names=known.mask_names, pairs=np.array([[0, 1, 3], [4, 5, 0]]),
        recipe={"world": "blocks", "n": 30},
    )  # fmt: skip
    write_inputs("several.D", several)
    beside = rows_of(known, slice(0, 20))
    write_inputs("several.concepts", beside)
    torch.manual_seed(1)
    z = cz.wrap(build("small-cnn", {"classes": 2, **small_net}), several, layers=["conv2"], cut="conv2",
                name="several")  # fmt: skip
    z = z.with_(data_ref=DataRef.referring_to(several, "several.D"), live=None,
                concepts_ref=DataRef.referring_to(beside, "several.concepts"))  # fmt: skip
    z.save("several.z")
    # A network of somebody's own code, and one that nobody can build again.
    Path("blocknet.py").write_text(BLOCKNET, encoding="utf-8")
    from circuitz.wrapping.load_network import load_own_network

    torch.manual_seed(2)
    said = {"mean": (0.4,) * 3, "std": (0.3,) * 3}
    own = load_own_network("blocknet:build", '{"width": 4}', preprocessing_fields=said)
    z = cz.wrap(own.net, data, layers=["1"], classes=data.classes, name="own",
                preprocess={**said, "size": (SIDE, SIDE)})  # fmt: skip
    notes = {**z.notes, **own.notes, "network": {"function": "blocknet:build", "weights": "w.pt"}}
    z.with_(notes=notes, live=None, data=None, data_ref=None).save("own.z")
    plain = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 8, 8), torch.nn.ReLU(), torch.nn.Flatten(),
                                torch.nn.Linear(18, 3))  # fmt: skip
    z = cz.wrap(plain, rows_of(data, slice(0, 60)), layers=["1"], name="session")
    z.with_(live=None).save("session.z")
    # A path cut in the weights, not measured since: what was measured and found is stale.
    lexicon = cz.Lexicon.load("lexicon.yaml")
    z = cz.load("start.z")
    cut = cz.silence(z, next(f for f in z.findings if f.verdict == "flagged"), lexicon=lexicon)
    small(cut).with_(live=None).save("silenced.z")


def logs() -> None:
    """Bundles whose log grew, was cut short, or held what a save did not know; a killed save."""
    layer = LayerSpec("read", 5, "input", 1, 2, (), (1,), (7, 5), (3, 2, -1))
    z = AnnotatedModel("bare", ("a", "b"), "thing", (layer,), ("read",),
                       preprocessing=Preprocessing((0.1,), (0.2,), (4, 5), "L"),
                       builder="nobody's", builder_args={"deep": [1, {"x": None}]},
                       weights={"w": np.arange(6, dtype=np.float16), "n": np.int64(3).reshape(())},
                       )  # fmt: skip
    z = z.annotate("read:0", "first", author="ana")
    z.save("bare.z")
    z.save("grown.z")
    Path("grow.csv").write_text('unit,text,author\nread:1,second,ben\nread:0@pos2,"at two",ben\n')
    run("annotate", "grown.z", "--from", "grow.csv")
    Path("grow.csv").unlink()
    shutil.copytree("grown.z", "torn.z")
    log = Path("torn.z/log.jsonl")
    log.write_bytes(log.read_bytes() + log.read_bytes().splitlines()[-1][:60])
    shutil.copytree("grown.z", "aside.z")
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        z.annotate("read:4", "unknowing", author="cleo").save("aside.z")
    Path("aside.z/README.txt").write_text("Somebody's own file.\n")
    # Killed between the two renames of a save: the old bundle lies aside, the new one beside it.
    shutil.copytree("grown.z", ".killed.z.old-0123abcd")
    shutil.copytree("bare.z", ".killed.z.tmp-4567cdef")


def tokens() -> None:
    """Token sequences: heads of a small transformer and of a foreign one, probes that read texts."""
    shape = {"vocabulary": 8, "context": 12, "layers": 2, "heads": 2, "width": 16, "neurons": 4}
    data = make_repeating_sequences(150, periods=(3, 5), length=12, count=8)
    torch.manual_seed(0)
    net = build("small-transformer", shape)
    assert isinstance(net, SmallTransformer)
    x = torch.from_numpy(
        make_repeating_sequences(3000, periods=(3, 5), length=12, count=8, seed=1).images
    ).long()

    def loss(step: int) -> torch.Tensor:
        rows = x[step * 64 % 2944 :][:64]
        logits = net.logits_everywhere(rows)[:, 4:-1]
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 5:].flatten())

    train_with_one_cycle_rate(net, loss, steps=700, rate=2e-2)
    z = cz.wrap(net, data, subject="letter", name="tokens")
    z = cz.measure(z, attention_pairs(24, length=12, count=8, distance=4), images=32, donors=1)
    z = cz.measure(cz.propose(z), images=32, donors=1)
    z = z.annotate("blocks.1.attn.hook_z:1", "induction head", author="mira")
    driven = max(cz.check(z).unexplained.items(), key=lambda one: -one[1][0])[0]
    z = z.with_graph(graph(z, driven, images=12))
    write_inputs("tokens.D", data)
    z = z.with_(
        data_ref=DataRef.referring_to(data, "tokens.D"), live=None, findings=cz.check(z).findings
    )
    z.save("tokens.z")
    texts()
    foreign()


def texts() -> None:
    """A language model of one's own with a probe: ``circuitz new --texts``."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from circuitz.data.text.text_model import vocabulary, write_language_model

    work = Path("texts-work")
    run("data", "texts", "--out", work, "--n", 240, "--concepts", 240, "--shifted", 4)
    words = vocabulary()
    net = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(words), n_positions=48, n_embd=16, n_inner=12, n_layer=1, n_head=2,
            activation_function="relu", bos_token_id=2, eos_token_id=2, pad_token_id=0,
        )
    )  # fmt: skip
    block = net.transformer.h[0]
    with torch.no_grad():  # neuron i is on at words of family i
        for name, weight in net.named_parameters():
            weight.copy_(
                torch.ones_like(weight) if "ln_" in name and "weight" in name else 0 * weight
            )
        for i, family in enumerate(NAMES):
            for word in FAMILIES[family]:
                net.transformer.wte.weight[words.index(word), i] = 10.0
        block.mlp.c_fc.weight[:8, :8] = torch.eye(8)
        block.mlp.c_fc.bias.fill_(-1.0)
    write_language_model(net.eval(), work / "lm")
    run("new", "--texts", work / "texts.csv", "--lm", work / "lm", "--out", "texts.z", "--lexicon",
        work / "lexicon.yaml", "--subject", "profession")  # fmt: skip
    small(cz.load("texts.z")).save("texts.z")
    shutil.copy(work / "lexicon.yaml", "texts.yaml")
    shutil.rmtree(work)


def foreign() -> None:
    """Models that run through TransformerLens: heads of a Llama, and a probe on one."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from circuitz.models.adapters.text_lm import build_text_classifier
    from circuitz.models.adapters.transformer_lens import Lens

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=8, hidden_size=8, intermediate_size=6, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=12,
        bos_token_id=0, eos_token_id=1, pad_token_id=2, attn_implementation="eager",
    )  # fmt: skip
    data = rows_of(make_repeating_sequences(20, periods=(3, 5), length=12, count=8), slice(None))
    net = LlamaForCausalLM(config).eval()
    z = cz.wrap(net, replace(data, classes=data.vocabulary), subject="letter", name="llama")
    z.with_(live=None, data=None, data_ref=None).save("llama.z")
    probe = build_text_classifier(
        Lens.from_hugging_face_model(net), json.loads(config.to_json_string()), 2, "", "last", 2
    )
    said = replace(data, labels=data.images[:, 0].astype(np.int64) % 2, classes=("even", "odd"))
    z = cz.wrap(probe, said, name="llama probe")
    z.with_(live=None, data=None, data_ref=None).save("llama-probe.z")


def lexica() -> None:
    """A lexicon file as the command writes it, on top of the shipped one."""
    own = ("--lexicon", "own.yaml")
    run("concepts", "add", "ossicone", "--kind", "part", "--part-of", "giraffe", "--synonym",
        "horn cone", *own)  # fmt: skip
    run("concepts", "override", "collar", "--kind", "part", "--part-of", "dog", "--author", "mira",
        "--reason", "show dogs", *own)  # fmt: skip


def main(archive: Path) -> None:
    """Make everything in a folder that is thrown away, note down what is read from it, pack it."""
    torch.set_num_threads(1)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "earlier")
        made.mkdir()
        os.chdir(made)
        sys.path.insert(0, str(made))
        for part in (start, searched, rich, starred, variants, logs, tokens, lexica):
            print(part.__name__, flush=True)
            part()
        for lock in made.rglob("*.lock"):
            lock.unlink()
        # Not read where it was made, so that nothing is found by an absolute path; and as a copy:
        # reading mends what was left half done.
        os.chdir(before)
        moved = made.rename(Path(folder, "moved"))
        expected = facts.everything(Path(shutil.copytree(moved, Path(folder, "copy"))))
        (moved / facts.EXPECTED).write_text(
            json.dumps(expected, indent=1, sort_keys=True, ensure_ascii=False), encoding="utf-8"
        )
        pack(moved, archive)
    print(f"{archive}: {archive.stat().st_size:,} bytes")


def pack(folder: Path, archive: Path) -> None:
    """Pack a folder, what is expected first, without names, times or links of this machine."""
    files = sorted(
        (p for p in folder.rglob("*") if p.name != "__pycache__" and p.suffix != ".pyc"),
        key=lambda p: (p.name != facts.EXPECTED, p.suffix, p.name, p),
    )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as tar:
        for path in files:
            if path.is_dir() and any(path.iterdir()):
                continue
            info = tar.gettarinfo(path, path.relative_to(folder).as_posix())
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            info.mtime, info.mode = 0, 0o755 if path.is_dir() else 0o644
            with contextlib.nullcontext() if path.is_dir() else path.open("rb") as file:
                tar.addfile(info, file)
    archive.write_bytes(lzma.compress(packed.getvalue(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    place = Path(__file__).parent / "earlier.tar.xz"
    main(Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else place)
