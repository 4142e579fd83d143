"""Run the check on a case, blind, and hold what it says against the truth."""

from __future__ import annotations

from typing import Any

from circuitz.bench.checker.benchmark_case import CheckerCase, Planted
from circuitz.bench.checker.case_truth import CaseTruth
from circuitz.bench.checker.facts import claim_is_true
from circuitz.bench.checker.planted_net import FEATURES, UNITS
from circuitz.measurement.measure import measure
from circuitz.plausibility.check import check
from circuitz.wrapping.wrap import wrap
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

#: Source images a split; half of what ``measure`` takes by default.
SOURCES = 120
#: Sets of several units count as the same when they share at least half of what either has.
OVERLAP = 0.5


def measure_case(
    case: CheckerCase, concept_set: InputSet | None = None, data: InputSet | None = None
) -> AnnotatedModel:
    """Return the case as a measured z; nothing of its truth goes along."""
    base = case.base
    data = base.data if data is None else data
    z = wrap_case_with_words(case, data)
    return measure(
        z,
        base.concept_set if concept_set is None else concept_set,
        data,
        seed=base.seed,
        pictures=False,
        images=SOURCES,
    )


def wrap_case_with_words(
    case: CheckerCase, data: InputSet, layers: tuple[str, ...] = (FEATURES, UNITS)
) -> AnnotatedModel:
    """Return the case as a z, with the words that were written on it."""
    base = case.base

    def wrap_without_words(net: Any) -> AnnotatedModel:
        return wrap(
            net,
            data,
            layers=layers,
            cut=UNITS,
            preprocess=base.preprocessing,
            subject=base.world.subject,
            name="case",
        )

    written_on = case.before or base
    z = wrap_without_words(written_on.noisy_network)
    for unit, text in sorted(base.words.items()):
        z = z.annotate(f"{UNITS}:{unit}", text, author="benchmark")
    for (unit, target), text in sorted(base.edge_words.items()):
        z = z.annotate(f"edge:{UNITS}:{unit}->output:{target}", text, author="benchmark")
    return z if written_on is base else wrap_without_words(base.noisy_network).with_(log=z.log)


def check_and_score_case(case: CheckerCase, z: AnnotatedModel) -> dict[str, Any]:
    """Check a measured case and score it.

    Returns
    -------
    JSON values: what was planted and whether it was caught, every finding with its truth, and the
    truth of all that is flagged at a false discovery rate of .10.
    """
    # Some cases are networks that know nothing, on purpose.
    report = check(z, untrained=True)
    truth = CaseTruth(case, None if z.concept_set is None else z.concept_set.concept_names)
    loose = check(z, q=0.10, untrained=True)
    return {
        "planted": [
            {
                "kinds": list(p.kinds),
                "units": list(p.units),
                "target": p.target,
                "caught": any(
                    f.verdict == "flagged" and finding_names_planted(f, p) for f in report.findings
                ),
                "said": [
                    _summarise_finding(f) for f in report.findings if _finding_is_near_planted(f, p)
                ],
            }
            for p in case.planted
        ],
        "findings": [
            {**_summarise_finding(f), "true": finding_is_true(case, truth, f)}
            for f in report.findings
        ],
        "loose": [
            finding_is_true(case, truth, f) for f in loose.findings if f.verdict == "flagged"
        ],
    }


def result_of_uncheckable_case(case: CheckerCase) -> dict[str, Any]:
    """Return the result of a case that could not be checked: nothing is caught."""
    missed = [
        {
            "kinds": list(p.kinds),
            "units": list(p.units),
            "target": p.target,
            "caught": False,
            "said": [],
        }
        for p in case.planted
    ]
    return {"planted": missed, "findings": [], "loose": []}


def finding_is_true(case: CheckerCase, truth: CaseTruth, finding: Finding) -> bool | None:
    """Whether what a finding claims is true of the case; ``None`` when grey."""
    if any(finding_names_planted(finding, p) for p in case.planted):
        return True
    if any(finding_names_planted(finding, p) for p in case.innocent):
        return False
    return claim_is_true(truth, finding)


def finding_names_planted(finding: Finding, planted: Planted) -> bool:
    """Whether a finding names what was planted: right kind, units and target."""
    if finding.kind not in planted.kinds:
        return False
    target = finding.target.removeprefix("output:")
    if planted.target and target != planted.target:
        return False
    one, other = set(finding.units), set(planted.units)
    if not other:  # it is about the class, whoever it is that fails to make it
        return True
    if len(other) == 1:
        return one == other
    return len(one & other) >= OVERLAP * len(one | other)


def _finding_is_near_planted(finding: Finding, planted: Planted) -> bool:
    """Whether a finding is of a right kind, or flagged and about some of the units."""
    target = finding.target.removeprefix("output:")
    near = bool(set(finding.units) & set(planted.units)) and target in ("", planted.target)
    return near and (finding.verdict == "flagged" or finding.kind in planted.kinds)


def _summarise_finding(f: Finding) -> dict[str, Any]:
    return {
        "kind": f.kind,
        "units": list(f.units),
        "target": f.target.removeprefix("output:"),
        "verdict": f.verdict,
        "estimate": f.estimate if f.estimate == f.estimate else None,
        "p": f.p,
        "q": f.q,
        "sentence": f.sentence,
    }
