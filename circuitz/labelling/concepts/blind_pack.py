"""Blind tests as task packs: words on units, in the eyes of people who see no activity.

The protocol, for every word on every unit tested: as many of the *test* pictures the unit is most
active on as hard negatives (:mod:`circuitz.labelling.concepts.hard_pairs`), one of a scene, all words' pictures
shuffled with the pack's seed; the screen shows the picture and the word and nothing else. Answers
are judgements like any other: append-only, with the hash of the (empty) card, the order and seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.errors import LabellingError
from circuitz.labelling.concepts.concept_answers import MergedAnswers, merge_answers_about_word
from circuitz.labelling.concepts.concept_pack import (
    LONGEST_WORD,
    Progress,
    assemble_pack_of_chosen_pictures,
    concept_column_name,
)
from circuitz.labelling.concepts.concept_questions import (
    PictureToAsk,
    Why,
    require_askable_concept_set,
)
from circuitz.labelling.concepts.hard_pairs import choose_active_and_hard_pictures
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.plausibility import prose
from circuitz.plausibility.claim import finding_id
from circuitz.plausibility.words.blind_tests import BlindTestRecord, with_blind_tests
from circuitz.plausibility.words.detection_test import (
    BAR,
    Detection,
    DetectionCounts,
    assign_detection_verdicts,
    run_detection_test,
)
from circuitz.store.judgement import Judgement
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.finding import Finding, Remedy
from circuitz.z.inputs import SPLITS
from circuitz.z.targets import EDGE, target_units
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

KIND = "blind-detection"
VERSION = 1
PAIRS = 20
MOST_TESTS = 60


@dataclass(frozen=True)
class BlindWordTest:
    """One word on one unit, with what came out.

    Parameters
    ----------
    target, word
        What was tested.
    detection
        The test.
    raters, simulated
        How many answered, and whether any of them is simulated.
    open
        Pictures nobody has answered yet. Who looks at figures early and stops when he likes them
        errs more often than the test allows for; so there is no verdict before all are answered.
    """

    target: str
    word: str
    detection: Detection
    raters: int
    simulated: bool
    open: int = 0


def words_to_test_on_target(z: AnnotatedModel, target: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Words to be tested on a target: the concepts it names, or else its text."""
    said = z.effective().get(target)
    if said is None:
        raise LabellingError(f"No words stand on {target}.", "Annotate it, or pass --word.")
    named = columns_of_concept_set(z.concept_set, lexicon).read(said.text, said.concepts).names
    if named:
        return tuple(dict.fromkeys(map(concept_column_name, named)))
    return (concept_column_name(said.text[:LONGEST_WORD]),)


def make_blind_pack(
    z: AnnotatedModel,
    targets: Sequence[str] = (),
    *,
    lexicon: Lexicon,
    words: Sequence[str] = (),
    pairs: int = PAIRS,
    overlap: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> TaskPack:
    """Make the questions of a blind test.

    Parameters
    ----------
    z
        A measured model.
    targets
        Units or groups; by default every annotated one of the cut.
    words
        Words to test on each; by default those that stand on it.
    pairs
        Active pictures, and hard ones, a word.
    overlap
        How many raters answer each question.
    seed
        Seed of choice and order.

    Raises
    ------
    LabellingError, MeasurementError
        If nothing can be tested.
    """
    shown = require_askable_concept_set(z)
    assert shown.split is not None
    chosen = tuple(dict.fromkeys(targets)) or annotated_targets_of_cut(z)
    if not chosen:
        raise LabellingError("No unit of the cut is annotated.", "Name units and --word.")
    if pairs < 1:
        raise LabellingError(f"{pairs} pairs of pictures cannot be shown.", "Ask for 1 or more.")
    within = shown.split == SPLITS.index("test")
    asked: dict[str, dict[int, Why]] = {}
    facts: dict[str, dict[int, dict[str, Any]]] = {}
    count = 0
    for target in chosen:
        found = choose_active_and_hard_pictures(z, target, within, pairs, seed=seed)
        named = [concept_column_name(w) for w in words] or words_to_test_on_target(
            z, target, lexicon
        )
        for word in dict.fromkeys(named):
            count += 1
            mine, told = asked.setdefault(word, {}), facts.setdefault(word, {})
            halves: tuple[tuple[Why, Any], ...] = (("active", found.active), ("hard", found.hard))
            for why, rows in halves:
                for row in map(int, rows):
                    mine.setdefault(row, why)
                    told.setdefault(row, {"tests": {}, "weights": z.weights_hash})
                    told[row]["tests"][target] = why
    if count > MOST_TESTS:
        raise LabellingError(
            f"{count} words would be tested at once.",
            f"Name some of the units: at most {MOST_TESTS}.",
        )
    if not any(asked.values()):
        raise LabellingError(
            "There are no pictures on test to show.", "Measure with images of every split."
        )
    rng = np.random.default_rng([seed, 11])
    order: dict[str, list[PictureToAsk]] = {}
    for word in [list(asked)[int(i)] for i in rng.permutation(len(asked))]:
        rows = list(asked[word])
        order[word] = [
            PictureToAsk(rows[int(i)], asked[word][rows[int(i)]])
            for i in rng.permutation(len(rows))
        ]
    return assemble_pack_of_chosen_pictures(
        z, order, overlap=overlap, seed=seed, facts=facts, progress=progress
    )


def annotated_targets_of_cut(z: AnnotatedModel) -> tuple[str, ...]:
    """Annotated units and groups of the cut."""
    return tuple(
        target
        for target in z.effective()
        if not target.startswith((EDGE, f"{OUTPUT}:"))
        and all(unit.rpartition(":")[0] in z.cut for unit in target_units(target))
    )


def blind_test_results(
    pack: TaskPack, rows: Iterable[Judgement], *, bar: float = BAR
) -> list[BlindWordTest]:
    """Work out every test of a pack from the answers in force.

    Raters are merged by majority, picture by picture, so that a picture counts once.

    Raises
    ------
    LabellingError
        If the pack is of no blind test.
    """
    rows = [row for row in rows if row.task == pack.task and row.answer is not None]
    tests: dict[tuple[str, str], dict[str, list[MergedAnswers]]] = {}
    wanted: Counter[tuple[str, str]] = Counter()
    for q in pack.questions:
        for target in _why_chosen_by_target(pack.plan, q.id):
            tests.setdefault((target, q.word), {"active": [], "hard": []})
            wanted[target, q.word] += 1
    if not tests:
        raise LabellingError(
            "These questions are of no blind test.", "circuitz concepts blind Z makes one."
        )
    for word in pack.words:
        for answer in merge_answers_about_word(pack, rows, word):
            for target, why in _why_chosen_by_target(pack.plan, answer.question.id).items():
                tests[target, word][str(why)].append(answer)
    left = {key: wanted[key] - sum(map(len, halves.values())) for key, halves in tests.items()}
    drafts = [
        run_detection_test(
            _count_majority_answers(halves["active"]),
            _count_majority_answers(halves["hard"]),
            bar=bar,
        )
        for halves in tests.values()
    ]
    done = iter(
        assign_detection_verdicts(
            [d for d, n in zip(drafts, left.values(), strict=True) if not n], bar=bar
        )
    )
    made: list[BlindWordTest] = []
    for ((target, word), n), draft in zip(left.items(), drafts, strict=True):
        slots = {q.judgement_kind_and_item for q in pack.questions if q.word == word}
        mine = [row for row in rows if row.items and (row.kind, row.items[0]) in slots]
        test = draft if n else next(done)
        simulated = any(row.rater_kind == "simulated" for row in mine)
        made.append(
            BlindWordTest(target, word, test, len({row.rater for row in mine}), simulated, n)
        )
    return made


def with_finished_tests(
    z: AnnotatedModel, tests: Iterable[BlindWordTest], pack: TaskPack
) -> AnnotatedModel:
    """Return z with the finished tests, by which the check judges words that no label can.

    Raises
    ------
    LabellingError
        If the pictures were chosen by what another network responds to.
    """
    if {facts.get("weights") for facts in pack.plan.values()} != {z.weights_hash}:
        raise LabellingError(
            "These pictures were chosen by what other weights respond to.",
            "Make the test anew: name another place with --tasks.",
        )
    done = [
        BlindTestRecord(
            b.target, b.word, d.accuracy, d.low, d.high, d.p_flag, d.p_support, d.power,
            blind_test_sentence(b), pack.task, z.weights_hash, b.simulated,
        )
        for b in tests
        if not b.open and not isnan((d := b.detection).accuracy)
    ]  # fmt: skip
    return with_blind_tests(z, done) if done else z


def blind_test_finding(blind: BlindWordTest, pack: TaskPack) -> Finding:
    """Write a blind test down as a finding."""
    test = blind.detection
    supported = test.verdict == "supported"
    remedies: tuple[Remedy, ...] = ()
    if not supported:
        remedies = (
            Remedy("retract", f"Take the words on {blind.target} back", {"unit": blind.target}),
        )
    return Finding(
        id=finding_id(KIND, "", f"{blind.target}|{blind.word}"),
        kind=KIND,
        version=VERSION,
        units=(blind.target,),
        target="",
        verdict=test.verdict,
        sentence=blind_test_sentence(blind),
        estimate=test.accuracy,
        ci=(test.low, test.high),
        delta=BAR,
        p=test.p_support if supported else test.p_flag,
        q=test.q_support if supported else test.q_flag,
        family=test.family,
        power=test.power,
        remedies=remedies,
        decide=_advice_on_what_would_decide(blind) if test.verdict == "inconclusive" else "",
        hashes=(("task", pack.task), ("z", pack.z_hash)),
    )


def blind_test_sentence(blind: BlindWordTest) -> str:
    """Say what a blind test found, with its figures and who answered."""
    test = blind.detection
    if not test.picture_count:
        return f"{blind.target}: nobody has answered yet whether pictures show ‘{blind.word}’."
    who = prose.format_count_with_noun(
        blind.raters, "simulated rater" if blind.simulated else "rater"
    )
    active, hard = test.active, test.hard
    figures = (
        f"{who} saw ‘{blind.word}’ in {active.yes} of {active.picture_count} pictures {blind.target} is most "
        f"active on and in {hard.yes} of {hard.picture_count} hard ones: "
        f"{prose.format_share_with_interval(test.accuracy, test.low, test.high)} right (Fisher p = {test.p:.2g})"
    )
    bar = prose.percent(BAR)
    if blind.open:
        return f"{figures}; {prose.format_count_with_noun(blind.open, 'picture')} still to be answered."
    if test.verdict == "supported":
        return f"{figures}, more than {bar}."
    if test.verdict == "flagged":
        return f"{figures}, less than {bar}: the word does not tell what it responds to."
    return f"{figures}; that is neither shown to exceed {bar} nor to stay below."


def _advice_on_what_would_decide(blind: BlindWordTest) -> str:
    test = blind.detection
    if blind.open:
        return f"Answers on {prose.format_count_with_noun(blind.open, 'more picture')}; they are chosen already."
    unsure = test.active.unsure + test.hard.unsure
    if unsure * 4 > test.picture_count:
        return f"A plainer word: nobody could tell on {unsure} of {test.picture_count} pictures."
    if not test.more:
        return "No practical number of pictures decides; look at its exemplars and say it better."
    return (
        f"About {prose.format_count_with_noun(test.more, 'more picture')}, half of them active ones: ask anew with "
        f"--pairs {(test.picture_count + test.more + 1) // 2} and another --seed."
    )


def _why_chosen_by_target(plan: Mapping[str, Any], question: str) -> Mapping[str, Any]:
    found = plan.get(question, {}).get("tests", {})
    return found if isinstance(found, dict) else {}


def _count_majority_answers(answers: Sequence[MergedAnswers]) -> DetectionCounts:
    usable = [a for a in answers if a.is_usable]
    yes = sum(a.majority_label == 1 for a in usable)
    no = sum(a.majority_label == 0 for a in usable)
    return DetectionCounts(yes, no, len(usable) - yes - no)
