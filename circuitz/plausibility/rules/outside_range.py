"""Inputs of a class send its units beyond what the concept set shows of them: a question.

Nothing is tested here: the range gauge (``cz.gauge``) was taken beforehand, on D or on D′, and z
keeps its records. Where one asks, this puts the question, with pictures. The verdict is always
*inconclusive*: beyond its range a unit may still see what its words say, or something that no
concept names, and only who looks can tell. That no record asks is no support, and says nothing.
"""

from __future__ import annotations

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.stats.range_gauge import LEAST_GAUGE
from circuitz.z.finding import Finding
from circuitz.z.range_record import RangeRecord, range_records
from circuitz.z.unit import OUTPUT
from circuitz.z.word_match import POPULATION_NAMES

KIND = "outside-range"
VERSION = 1
NAN = float("nan")


def find_outside_range(case: Case) -> list[Finding]:
    """Put the questions that records of the range gauge raise."""
    claims = [_question_of_record(case, r) for r in range_records(case.z) if r.asks]
    return findings_from_claims(case, KIND, VERSION, claims)


def _question_of_record(case: Case, record: RangeRecord) -> Claim:
    units = case.units_on_cut(unit for unit, _ in record.units)
    there = case.measured.pictures
    first = record.units[0][0] if record.units else ""
    gauge = NAN if record.gauge is None else record.gauge
    return Claim(
        target=f"{OUTPUT}:{record.target}",
        subject=record.population,
        units=units,
        p_flag=NAN,
        p_support=NAN,
        estimate=gauge,
        ci=(NAN, NAN),
        delta=LEAST_GAUGE,
        power=NAN,
        write_sentence=lambda _verdict: _write_sentence(record),
        decide=_what_to_look_at(record, first),
        pictures=tuple(name for name in record.pictures if name in there),
    )


def _write_sentence(record: RangeRecord) -> str:
    of = f"{record.target} on {POPULATION_NAMES[record.population]}"
    many = prose.percent(record.gauge or 0.0)
    beside = [
        f"{prose.percent(value)} for {what}"
        for value, what in (
            (record.silent, "a unit without words"),
            (record.others, "the other classes"),
        )
        if value is not None
    ]
    unit = record.units[0][0] if record.units else "a unit"
    return (
        f"On {many} of the inputs of {of}, weighted by drive, the units that drive the class put out "
        f"what they do on no image of the concept set ({' and '.join(beside) or 'nothing to compare'})"
        f"; {unit} does on {record.count} of {record.inputs}, at most {record.by_chance} by chance. "
        "What its words and effects rest on does not reach so far."
    )


def _what_to_look_at(record: RangeRecord, unit: str) -> str:
    source = POPULATION_NAMES[record.population]
    return (
        f"Look at inputs of {record.target} from {source} on which {unit} lies outside: what do they "
        "show that the concept set does not? Add pictures of it to the concept set, with a label, and "
        "measure again; without one nothing about it can be told."
    )
