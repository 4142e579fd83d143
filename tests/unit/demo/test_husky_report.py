"""The page: whole, safe, honest, and written whatever the story lacks."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from circuitz.cards.card import Card, ClassEntry, Cue, UnitExemplars
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.demo.husky_report import render_husky_page, write_husky_report
from circuitz.demo.husky_story import HuskyStory
from circuitz.errors import BundleWriteError
from circuitz.evaluation.evaluation_sets import InputsWithTruth, make_shifted_set_with_truth
from circuitz.evaluation.labelling_study import LabellingStudy
from circuitz.labelling.labels.label_model import LabelModel
from circuitz.labelling.tasks.questions import Questions
from circuitz.measurement.before_after_image import BeforeAfterImage, render_before_after
from circuitz.models.zoo.builders import build
from circuitz.plausibility.report import Report
from circuitz.posterior.objective import PosteriorTerms
from circuitz.wrapping.wrap import wrap
from circuitz.z.effect import Effect
from circuitz.z.finding import Finding, Remedy, Waiver
from circuitz.z.layer import Preprocessing
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.search_result import SearchResult

VOID = {"meta", "img", "br", "link", "input", "hr"}
EVIL = "<script>alert('x')</script>\"' onerror=alert(1) &amp; {{ 7*7 }}"
UNITS = ("conv4:1", "conv4:2")


class Reader(HTMLParser):
    """Reads a page and keeps what a browser would fetch, run or complain about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def _measured(classes: tuple[str, ...], n: int, png: bytes) -> Measurements:
    u, k = 64, len(classes)
    draw = np.random.default_rng(0)
    layer = LayerMeasurements(
        layer="conv4",
        responses=draw.random((n, u), np.float32),
        peaks=draw.random((n, u), np.float32),
        exemplars=np.tile(np.r_[np.arange(5), [-1] * 4], (u, 1)),
        exemplar_boxes=np.zeros((u, 9, 4), np.int16),
        exemplar_heat=draw.integers(0, 255, (u, 9, 4, 4)).astype(np.uint8),
        histogram=np.ones((u, 4), np.int64),
        histogram_edges=np.tile(np.arange(5, dtype=np.float32), (u, 1)),
        visualisations=draw.integers(0, 255, (u, 64, 64, 3)).astype(np.uint8),
    )
    effects = EffectMeasurements(
        units=tuple(f"conv4:{i}" for i in range(u)),
        targets=classes,
        scale=np.ones(k, np.float32),
        sufficiency=np.zeros((2, u, k), np.float32),
        necessity=np.zeros((2, u, k), np.float32),
        split=np.array([1, 1], np.uint8),
        scene=np.arange(2),
        source=np.arange(2),
        drive=draw.random((u, k), np.float32),
        span=np.ones(u, np.float32),
    )
    return Measurements(
        layers={"conv4": layer},
        effects=effects,
        pictures={"aa": png, "bb": png},
        group_pictures={
            f"{'+'.join(UNITS)}->{classes[0]}": ("aa",),
            f"conv4:3+conv4:4+conv4:5->{classes[1]}": ("bb",),
        },
    )


def _finding(kind: str, target: str, verdict: Any, sentence: str, **more: Any) -> Finding:
    effect = Effect(UNITS, f"output:{target}", "sufficiency", n=132, clusters=120)
    known: dict[str, Any] = {"estimate": 0.69, "ci": (0.66, 0.72), "q": 1e-9, "family": 6}
    return Finding(
        f"{kind}-{target}-{verdict}", kind, 1, UNITS, f"output:{target}", verdict, sentence,
        effects=(effect,), chain=("snow is surroundings", "surroundings are no part of a dog"),
        remedies=(Remedy("search", "Take the path away", {}),), **(known | more),
    )  # fmt: skip


def _labels() -> dict[str, Any]:
    cards = {"no_card": 0.17, "unrepaired": 0.31, "permuted": 0.09, "notes": 0.83, "zstar": 0.93}
    found = {
        "worst_group": 0.97, "group": "husky on sand", "group_n": 33,
        "group_interval": [0.84, 0.99], "accuracy": 0.99, "n": 100,
    }  # fmt: skip
    return {
        "judgements": 199,
        **{f"rater_{name}": value for name, value in cards.items()},
        "m_l_test_worst_group": 0.97,
        "m_l_test_accuracy": 0.99,
        "details": {
            "simulated": True,
            "rater": {"name": "simulated-0", "perception_error": 0.05, "lapse": 0.02},
            "questions": 200, "notes_from": 61,
            "intervals": {f"rater_{n}": [v - 0.05, v + 0.05] for n, v in cards.items()},
            "m_l_test": {**found, "form": "z"},
            "further_controls": {"answers_alone": dict(found)},
        },
    }  # fmt: skip


def _summary(classes: tuple[str, ...], grounds: tuple[str, ...]) -> dict[str, Any]:
    def figures(d: float, shifted: float, worst: float, off: float) -> dict[str, Any]:
        groups = [
            {"class": c, "cell": g, "accuracy": worst if not i + j else 0.98, "low": worst / 2,
             "high": 0.99, "right": 3, "n": 4}
            for i, c in enumerate(classes) for j, g in enumerate(grounds)
        ]  # fmt: skip
        return {
            "d_accuracy": d, "d_prime_accuracy": shifted, "d_prime_worst_group": worst,
            "husky_off_snow": off, "by_group": groups,
        }  # fmt: skip

    return {
        "world": "dogs", "shortcut": "ground", "track": 1.0, "seed": 41, "full": False,
        "before": figures(0.97, 0.61, 0.02, 0.04),
        "after": figures(0.98, 0.96, 0.94, 0.95),
        "oracle": figures(0.99, 0.97, 0.93, 0.96),
        "controls": {"random_regions": 0.05, "no_annotations": 0.03},
        "labels": _labels(),
        "search": {
            "settings": {"lam": 1.0}, "sweep": {"0": 0, "1": 1}, "edited": ["snow"],
            "regions": {"snow": {"source": "masks"}},
        },
        "sizes": {"per_class": 6, "concepts": 20},
        "bundle": {"husky": "/secret/place/husky.z", "zstar": "/secret/place/zstar.z"},
        "seconds": 12.3,
    }  # fmt: skip


def _story(classes: tuple[str, ...] | None = None, words: str = "snow") -> HuskyStory:
    data = make_dogs("D", 6, seed=0, classes=classes)
    concepts = make_dogs("concepts", 20, seed=0)
    shifted = make_shifted_set_with_truth(5, seed=1, classes=classes)
    names = data.classes
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": len(names), "widths": [4, 4, 4, 64]})
    z = wrap(
        net, data, layers=("conv4",), classes=names, preprocess=Preprocessing(), subject="dog",
        name="husky",
    )  # fmt: skip
    bars = np.full(len(names), 1 / len(names), np.float32)
    png = render_before_after(
        BeforeAfterImage(data.images[0], data.images[1], np.ones((4, 4), np.float32), bars, bars, names, 0,
              ("a", "b", "c"))
    )  # fmt: skip
    measured = _measured(names, len(concepts), png)
    z = z.with_(measurements=measured, concept_set=concepts)
    z = z.annotate(UNITS[0], words, author="rule", author_kind="rule", concepts=("snow",))
    flagged = (
        _finding("implausible-driver", names[1], "flagged", words, pictures=("bb",), estimate=0.2),
        _finding("implausible-driver", names[0], "flagged", words, pictures=("aa",)),
    )
    calm = _finding("implausible-driver", names[0], "supported", words, estimate=0.01)
    shares = dict.fromkeys(names, (0.2, 0.1, 0.3))
    settings = {"split": "test", "delta": 0.1, "q": 0.05, "unexplained_bound": 0.5}
    before = Report(flagged, shares, "test", settings, {"lexicon": "0123abcd"})
    after = Report((calm,), shares, "test", settings, {"lexicon": "0123abcd"})
    cue = Cue(words, ("snow",), UNITS, 0.4, (UnitExemplars("conv4", UNITS[0], (0, 1, 999)),))
    against = replace(cue, strength=-0.3)
    card = Card(tuple(ClassEntry(n, (cue, against), (0.2, 0.1, 0.3)) for n in names), "dog")
    waived = replace(flagged[0], waiver=Waiver("x", words, words, ""))
    zstar = z.with_(name="zstar", findings=(waived, calm))
    scores = (PosteriorTerms(-2.0, -90.0, 30, 0.8, 2), PosteriorTerms(-0.5, -10.0, 30, 0.9, 0))
    k = len(names)
    model = LabelModel(
        names, "z", 1.0, np.zeros((1, k)), np.zeros(k), np.zeros(1), np.ones(1), {}, 199
    )
    asked = Questions(np.arange(3), np.zeros(3, bool), 0, 30)
    summary = _summary(names, shifted.truth.grounds)
    study = LabellingStudy(summary["labels"], model, asked, {"zstar": card}, ())
    return HuskyStory(
        summary, z, zstar, before, after, SearchResult(zstar, after, scores, 1, zstar), study, shifted
    )  # fmt: skip


@pytest.fixture(scope="module")
def story() -> HuskyStory:
    return _story()


@pytest.fixture(scope="module")
def read(story: HuskyStory) -> Reader:
    return Reader(render_husky_page(story))


def test_it_is_one_small_file_that_asks_for_nothing(story: HuskyStory, tmp_path: Path) -> None:
    place = write_husky_report(story, tmp_path / "new" / "report.html")
    text = place.read_text(encoding="utf-8")
    assert place.stat().st_size < 3_000_000
    read = Reader(text)
    assert not read.wrong
    assert not read.open
    assert not {tag for tag, _ in read.tags} & {"script", "link", "iframe", "object", "form"}
    for tag, attrs in read.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "xlink:href"):
            if name in attrs:
                inside = "data:image/" if tag == "img" else "#"
                assert str(attrs[name]).startswith(inside), (tag, name)
    outside = re.findall(r"url\(([^)]*)\)|(@import)|(https?:)", text)
    assert {found[0] for found in outside} <= {"#hatch", "#dots"}
    assert "default-src 'none'" in text
    assert [p.name for p in place.parent.iterdir()] == ["report.html"]


def test_every_link_leads_somewhere_and_every_picture_has_words(read: Reader) -> None:
    ids = {attrs["id"] for _, attrs in read.tags if attrs.get("id")}
    assert {str(a["href"])[1:] for a in read.of("a")} <= ids
    images = read.of("img")
    assert len(images) > 60
    assert all((image.get("alt") or "").strip() for image in images)


def test_it_tells_the_figures_with_their_intervals_and_counts(read: Reader) -> None:
    for figure in ("97 %", "61 %", "96 %", "69 % [66, 72]", "31 % [26, 36]", "93 % [88, 98]"):
        assert figure in read.text
    for words in ("n = 132", "120 scenes", "of 6 claims", "±10 %", "snow is surroundings",
                  "husky on sand, n = 33", "20 % [10, 30]",
                  "from 61 labelled images", "circuitz demo --seed 41", "0123abcd"):  # fmt: skip
        assert words in read.text, words
    assert "5 % [" in read.text  # the controls have intervals: all groups are of one size


def test_what_drives_the_class_of_the_story_comes_first(read: Reader) -> None:
    heads = [w.strip() for w in read.words if w.strip().startswith("Implausible driver")]
    assert heads == ["Implausible driver · husky", "Implausible driver · corgi"]


def test_evidence_of_other_units_is_no_evidence(read: Reader) -> None:
    shown = [image for image in read.of("img") if (image["alt"] or "").startswith("Evidence")]
    assert len(shown) == 1  # the second finding was given pictures of three other units


def test_every_figure_of_the_rater_says_simulated(story: HuskyStory) -> None:
    text = render_husky_page(story)
    chapter = text[text.index('<section id="labelled">') : text.index('<section id="made">')]
    parts = re.findall(r'<figure class="chart.*?</figure>|<div class="tile">.*?</div>|<table>.*?</table>',
                       chapter, re.DOTALL)  # fmt: skip
    assert len(parts) == 4
    assert all("simulated rater" in part for part in parts)
    head = text[: text.index("<main>")]
    assert "a simulated rater with its card" in head


def test_the_chosen_round_and_the_sweep_are_marked(read: Reader) -> None:
    assert "round 1 ★ kept" in read.text
    assert "as trained ★ kept" not in read.text
    assert "★ round 1" in read.text


def test_nothing_written_by_people_becomes_markup() -> None:
    classes = tuple(f"{EVIL}{i}" for i in range(6))
    told = _story(classes, EVIL)
    text = render_husky_page(told)
    read = Reader(text)
    assert not read.wrong
    assert "<script" not in text
    assert "alert('x')" not in text  # its quotes are escaped, inside attributes too
    assert "49" not in [word.strip() for word in read.words]
    assert not [name for _, attrs in read.tags for name in attrs if name.startswith("on")]
    assert "<script>alert('x')</script>" in read.text  # and it is shown as it was written


def test_no_place_of_this_machine_is_told(story: HuskyStory) -> None:
    text = render_husky_page(story)
    assert "/secret" not in text
    assert "zstar.z" in text


def test_a_story_that_lacks_almost_everything_is_still_told(story: HuskyStory) -> None:
    bare = story.husky.with_(data=None, concept_set=None, measurements=None)
    empty = replace(story.before, findings=(), unexplained={})
    summary = copy.deepcopy(story.summary)
    for name in ("before", "after", "oracle"):
        del summary[name]["by_group"]
        summary[name]["d_prime_accuracy"] = float("nan")
    for name in ("search", "sizes", "controls"):
        summary[name] = {}
    del summary["labels"]["details"]
    told = replace(
        story, summary=summary, husky=bare, zstar=bare.with_(findings=()), before=empty,
        after=empty, search_result=replace(story.search_result, scores=story.search_result.scores[:1], best=0),
    )  # fmt: skip
    read = Reader(render_husky_page(told))
    assert not read.wrong
    assert "Nothing was flagged" in read.text
    assert "Nothing better was found" in read.text
    assert "nan" not in read.text.lower().split()


def test_without_pictures_of_the_same_dogs_others_are_shown(story: HuskyStory) -> None:
    images = 255 - story.shifted.inputs.images
    other = InputsWithTruth(replace(story.shifted.inputs, images=images), story.shifted.truth)
    read = Reader(render_husky_page(replace(story, shifted=other)))
    assert "Dogs of D′ on every ground" in read.text
    assert "The same dogs" not in read.text


def test_damaged_evidence_is_left_out(story: HuskyStory) -> None:
    measured = story.husky.measurements
    assert measured is not None
    broken = replace(measured, pictures={"aa": b"not a picture", "bb": b""})
    told = replace(story, husky=story.husky.with_(measurements=broken))
    assert "Evidence 1" not in render_husky_page(told)


def test_the_same_story_makes_the_same_page(story: HuskyStory) -> None:
    assert render_husky_page(story) == render_husky_page(story)


@pytest.mark.parametrize("place", ["taken", "file/under"])
def test_where_it_cannot_be_written_it_says_so(
    story: HuskyStory, tmp_path: Path, place: str
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(BundleWriteError):
        write_husky_report(story, tmp_path / place)
    assert (tmp_path / "file").read_text() == "kept"
    assert {p.name for p in tmp_path.iterdir()} == {"taken", "file"}


def test_an_annotated_model_is_not_changed_by_being_told(story: HuskyStory) -> None:
    def state(z: AnnotatedModel) -> tuple[str, int]:
        return z.hash, len(z.log)

    earlier = state(story.husky), state(story.zstar)
    render_husky_page(story)
    assert (state(story.husky), state(story.zstar)) == earlier


@pytest.mark.parametrize(
    ("world", "shortcut", "words"),
    [
        ("dogs", "collar", ("wears a collar, and no other dog does", "without a collar")),
        ("dogs", "light", ("is in winter light, and no other dog is", "in other light")),
        ("dogs", "two", ("off snow or without a collar", "Every breed with and without")),
        ("birds", "ground", ("no other bird is", "tell 6 species apart", "hybrids")),
    ],
)
def test_any_world_and_shortcut_is_told_in_its_own_words(
    story: HuskyStory, world: str, shortcut: str, words: tuple[str, ...]
) -> None:
    # The story's networks know dogs; the page's words alone are looked at here.
    shifted = make_shifted_set_with_truth(
        4, world=world, shortcut=shortcut, seed=1, classes=story.husky.classes
    )
    summary = {
        **_summary(shifted.truth.classes, shifted.truth.cells),
        "world": world,
        "shortcut": shortcut,
    }
    told = replace(story, summary=summary, shifted=shifted)
    text = " ".join(render_husky_page(told).replace("\n", " ").split())
    for word in words:
        assert word in text, word
    command = f"circuitz demo{' --world birds' if world == 'birds' else ''}"
    command += f" --shortcut {shortcut}" if shortcut != "ground" else ""
    assert f"{command} --seed 41" in text


def test_a_repair_that_forgets_d_says_so(story: HuskyStory) -> None:
    summary = {**story.summary, "after": {**story.summary["after"], "d_accuracy": 0.4}}
    text = render_husky_page(replace(story, summary=summary))
    assert "and little of D" in text
    assert "and little of D" not in render_husky_page(story)
