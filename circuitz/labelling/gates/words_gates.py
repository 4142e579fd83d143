"""Every word that counts must hold where z is used: on D, and on D′ where that is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuitz.labelling.gates.gate import Figure, Gate, GateId
from circuitz.plausibility.report import Report
from circuitz.z.inputs import InputSet
from circuitz.z.pixel_hashes import fingerprint_of_pictures, pixel_hashes
from circuitz.z.word_match import POPULATION_NAMES, Population, units_bearing_words
from circuitz.z.word_tests import WordTest, word_tests

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

_GATES: dict[Population, GateId] = {"D": "words-on-d", "D'": "words-on-shifted"}
_ASK = "circuitz words Z --store ANSWERS.sqlite --half audit"


def audit_tests_on(z: AnnotatedModel, population: Population) -> tuple[WordTest, ...]:
    """Return the tests of z's words on a population that rest on fresh pictures."""
    return tuple(
        test for test in word_tests(z) if test.half == "audit" and test.population == population
    )


def populations_words_must_hold_on(z: AnnotatedModel, shifted: bool) -> tuple[Population, ...]:
    """Return where words must hold to count.

    Parameters
    ----------
    z
        Model with its tests of words.
    shifted
        Whether D′ is at hand.

    Returns
    -------
    The concept set always; D and D′ where any word was tested on fresh pictures of it. Where none
    was, the gate of that population is refused, and every other one is told as if it were open.
    """
    found: list[Population] = ["concepts"]
    if audit_tests_on(z, "D"):
        found.append("D")
    if shifted or audit_tests_on(z, "D'"):
        found.append("D'")
    return tuple(p for p in found if p == "concepts" or audit_tests_on(z, p))


def words_gates(z: AnnotatedModel, report: Report, shifted: InputSet | None) -> list[Gate]:
    """Return whether the words of z were tested where it is used, and how they fared.

    Parameters
    ----------
    z
        Model with its tests of words.
    report
        Its check on *audit*, with the words alone that hold on these populations.
    shifted
        D′, where it is at hand.
    """
    words = tuple(units_bearing_words(report.words, z.cut))
    return [
        _gate_of_population(z, words, "D", z.data),
        _gate_of_population(z, words, "D'", shifted)
        if shifted is not None or audit_tests_on(z, "D'")
        else Gate(
            "words-on-shifted",
            "not measured",
            "Not tested where it will be used: D′ was not given.",
            remedy="Pass unlabelled pictures of D′: shifted= in Python, or --shifted DIR.",
        ),
    ]


def _gate_of_population(
    z: AnnotatedModel,
    words: Sequence[str],
    population: Population,
    inputs: InputSet | None = None,
) -> Gate:
    gate, name = _GATES[population], POPULATION_NAMES[population]
    if not words:
        said = f"No word holds on the concept set, so there is none to test on {name}."
        return Gate(gate, "passed", said, {"words": 0})
    tests = {t.word: t for t in audit_tests_on(z, population)}
    if not tests:
        return Gate(
            gate,
            "refused",
            f"None of {len(words)} words was tested on {name}: whether its units see there what "
            "they are said to see, nobody was asked.",
            {"words": len(words), "holds": 0, "fails": 0, "untested": len(words), "answers": 0},
            _how_to_ask(gate, population),
        )
    if inputs is not None:
        here = fingerprint_of_pictures(pixel_hashes(inputs))
        if any(test.inputs != here for test in tests.values()):
            return Gate(
                gate,
                "refused",
                f"Words were tested on other pictures than those given as {name}: what people said of "
                "them says nothing of these.",
                {"words": len(words)},
                _how_to_ask(gate, population),
            )
    verdicts = [tests[word].verdict if word in tests else "untested" for word in words]
    holds, fails, untested = (verdicts.count(v) for v in ("holds", "fails", "untested"))
    figures: dict[str, Figure] = {
        "words": len(words),
        "holds": holds,
        "fails": fails,
        "untested": untested,
        "answers": sum(test.answers for test in tests.values()),
        "simulated": any(test.simulated for test in tests.values()),
    }
    said = f"On fresh pictures of {name} {holds} of {len(words)} words hold"
    lost = [f"{n} {what}" for n, what in ((fails, "fail"), (untested, "are not settled")) if n]
    said += f"; {' and '.join(lost)}, and count as none." if lost else "."
    if inputs is None:
        said += f" Whether these are the pictures of {name} was not looked at: it is not at hand."
    if figures["simulated"]:
        said += " The answers are of simulated people."
    dropped = [tests[word] for word in words if word in tests and tests[word].pooled_drop]
    if dropped and population == "D'":
        # Each word may pass by itself while all of them are true less often where z is used.
        return Gate(
            gate,
            "refused",
            f"Units mean less on {name} what they are said to mean: {dropped[0].reason}. {said}",
            {**figures, "pooled_drop": True},
            "Look at the pictures on which answers and units differ; take words back that do not hold, or "
            f"search with pictures like these. {_how_to_ask(gate, population)}",
        )
    return Gate(gate, "passed", said, figures)


def _how_to_ask(gate: GateId, population: Population) -> str:
    shifted = " --shifted DIR" if population == "D'" else ""
    return (
        f"Ask people: {_ASK}{shifted}. Or sign that it goes out untested: --sign {gate} "
        "--author NAME --reason WHY."
    )
