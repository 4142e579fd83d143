"""Whether surroundings drive a class; :mod:`circuitz.plausibility.rules.outside_claims` has the test.

Where the concept set shows the classes themselves and a concept goes together with one of them,
the claim is *inconclusive*, whatever the units do. So it is, once for all classes, where nobody knows
what the concept is to the subject: a guess convicts nobody.
"""

from __future__ import annotations

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.rules.outside_claims import cached_outside_pairs
from circuitz.z.finding import Finding, Remedy
from circuitz.z.unit import OUTPUT

KIND = "implausible-driver"
VERSION = 2


def find_implausible_driver(case: Case) -> list[Finding]:
    """Judge every opposed concept on the cut against every class it does not hold back."""
    driving = [pair for pair in cached_outside_pairs(case) if not pair.claims_inhibition]
    claims = [pair.make_claim(len(driving)) for pair in driving]
    return findings_from_claims(
        case,
        KIND,
        VERSION,
        [*claims, *_claims_on_confounded_concepts(case), *_claims_on_unknown_kinds(case)],
    )


def _claims_on_unknown_kinds(case: Case) -> list[Claim]:
    """Claims nobody can judge: what the concept is to the subject is not known."""
    claims: list[Claim] = []
    for concept in case.valid_concepts:
        if not case.is_of_unknown_kind(concept):
            continue
        units = case.units_validly_meaning(concept)
        sees = "the unit that sees" if len(units) == 1 else "the units that see"
        subject = prose.noun_with_article(case.z.subject) if case.z.subject else "the subject"
        sentence = (
            f"What ‘{concept}’ is to {subject} is not known, so whether {sees} it "
            f"({prose.abbreviate_units(units)}) may make a class cannot be said."
        )
        claims.append(
            _untested_claim(
                case,
                "",
                concept,
                units=units,
                sentence=sentence,
                decide=prose.advise_saying_kind([concept], case.z.subject),
                remedies=(
                    Remedy(
                        "kind",
                        f"Say what ‘{concept}’ is",
                        {"concept": concept, "subject": case.z.subject},
                    ),
                ),
            )
        )
    return claims


def _untested_claim(
    case: Case,
    target: str,
    concept: str,
    *,
    units: tuple[str, ...],
    sentence: str,
    decide: str,
    remedies: tuple[Remedy, ...] = (),
) -> Claim:
    """Return a claim that no test can decide as things are."""
    return Claim(
        target=target,
        subject=concept,
        units=units,
        p_flag=float("nan"),
        p_support=float("nan"),
        estimate=float("nan"),
        ci=(float("nan"), float("nan")),
        delta=case.settings.delta,
        power=0.0,
        write_sentence=lambda _: sentence,
        decide=decide,
        chain=case.support_for_class(concept, target.removeprefix(f"{OUTPUT}:")).chain,
        remedies=remedies,
    )


def _claims_on_confounded_concepts(case: Case) -> list[Claim]:
    """Claims nobody can test here: concept and class go together in the images themselves."""
    claims: list[Claim] = []
    for column, classes in case.classes_by_confounded_column.items():
        concept = case.concept_columns.names[column]
        for target in classes:
            if case.support_for_class(concept, target).verdict != "opposes":
                continue
            sentence = (
                f"Whether ‘{concept}’ drives {target} cannot be told: in the images units were "
                f"measured on, the two go together, and a unit that tells {target} responds to both."
            )
            claims.append(
                _untested_claim(
                    case,
                    f"{OUTPUT}:{target}",
                    concept,
                    units=(),
                    sentence=sentence,
                    decide=(
                        f"A concept set: images of other things than the classes, with and without "
                        f"{concept}; or images of {target} without {concept}, and of others with it."
                    ),
                )
            )
    return claims
