"""Do words and wiring agree? A pure function of stored measurements."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from circuitz.errors import ChanceAccuracyError
from circuitz.plausibility.case import Case
from circuitz.plausibility.check_settings import MATCH_BAR, CheckSettings
from circuitz.plausibility.problems import find_problems
from circuitz.plausibility.report import Report
from circuitz.plausibility.rules import missing_support, unexplained_effect
from circuitz.plausibility.rules.kinds import RULES
from circuitz.plausibility.words.matched_words import matched_words
from circuitz.z.check_z import check_annotated_model
from circuitz.z.finding import Finding
from circuitz.z.shown.latest_check import remember_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel
    from circuitz.z.word_match import Population


def check(
    z: AnnotatedModel,
    *,
    split: str = "test",
    delta: float = 0.10,
    q: float = 0.05,
    lexicon: Lexicon | None = None,
    unexplained_bound: float = 0.5,
    match_bar: float = MATCH_BAR,
    untrained: bool = False,
    populations: Sequence[Population] = ("concepts",),
) -> Report:
    """Test every claim that words and wiring of a z make together.

    Nothing is run: an edit of words is judged from what was measured before it.

    Parameters
    ----------
    z
        A measured model.
    split
        Images the verdicts rest on. ``audit`` is for export; each look is to be logged with
        :func:`circuitz.plausibility.audit_reads.with_audit_reads_logged`.
    delta
        Effects within this share of the whole cut's count as none.
    q
        False discovery rate within each kind of finding.
    lexicon
        Prior knowledge of kinds; the shipped one by default.
    unexplained_bound
        Share of a class's effect that may stay unexplained.
    match_bar
        Normalised average precision and correlation an annotation must reach to count.
    untrained
        Check a network all the same that is right on D no more often than chance, as controls of
        the check itself are. Its report says so first.
    populations
        Where words must hold to count: ``concepts``; with ``D`` and ``D'`` those that people were
        not asked about there (:func:`circuitz.test_words`) count as none, too. A word that fails
        on D or D′ counts as none in any case.

    Returns
    -------
    Report
        Findings worst first, and the unexplained share by class.

    Raises
    ------
    MeasurementError
        If z was not measured, or not on this split.
    ConceptLabelsError
        If there is no concept set. One without labels gives a report: see ``Report.problems``.
    ChanceAccuracyError
        If the network is right on D no more often than chance (``z.accuracy``).
    CheckError
        If a setting makes no sense.
    InputsError
        If z is no annotated model.
    """
    check_annotated_model(z)
    start = time.perf_counter()
    settings = CheckSettings(
        split, delta, q, unexplained_bound, match_bar, populations=tuple(populations)
    )
    if not untrained:
        _refuse_chance_accuracy(z)
    case = Case.from_model(z, lexicon, settings)
    found = [finding for rule in RULES.values() for finding in rule(case)]
    reads: tuple[dict[str, str], ...] = ()
    if split == "audit":
        reads = ({"split": split, **dict(case.verdict_input_hashes)},)
    findings = tuple(sorted(found, key=_severity_sort_key))
    remember_check(z, findings)
    return Report(
        findings=findings,
        unexplained={
            f.target.removeprefix("output:"): (f.estimate, *f.ci)
            for f in found
            if f.kind == unexplained_effect.KIND
        },
        split=split,
        settings=settings.as_dict(),
        hashes=dict(case.verdict_input_hashes),
        seconds=time.perf_counter() - start,
        stale=z.stale,
        reads=reads,
        problems=find_problems(case, findings),
        accuracy=z.accuracy,
        match_words=lambda: matched_words(
            case.word_verdicts_on_concept_set, settings, case.concept_columns
        ),
        word_tests=tuple(
            test for tests in case.word_tests_that_count.values() for test in tests.values()
        ),
    )


def _refuse_chance_accuracy(z: AnnotatedModel) -> None:
    warning = "" if z.accuracy is None else z.accuracy.warning()
    if warning:
        raise ChanceAccuracyError(
            warning,
            "Mend that and wrap the network again; or check it all the same: cz.check(z, "
            "untrained=True), circuitz check --untrained.",
        )


def _severity_sort_key(finding: Finding) -> tuple[float, ...]:
    verdict = {"flagged": 0.0, "inconclusive": 2.0, "supported": 3.0}[finding.verdict]
    if finding.verdict == "flagged" and finding.waiver is not None:
        verdict = 1.0
    size = 0.0 if math.isnan(finding.estimate) else finding.estimate
    # Support is the worse the less of it there is; of everything else, the more.
    size = size if finding.kind == missing_support.KIND else -size
    return (verdict, float(list(RULES).index(finding.kind)), size)
