"""Whether surroundings drive a class; :mod:`circuitz.plausibility.rules.outside_claims` has the test.

Where the concept set shows the classes themselves and a concept goes together with one of them,
the claim is *inconclusive*, whatever the units do.
"""

from __future__ import annotations

from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.rules.outside_claims import cached_outside_pairs
from circuitz.z.finding import Finding
from circuitz.z.unit import OUTPUT

KIND = "implausible-driver"
VERSION = 2


def find_implausible_driver(case: Case) -> list[Finding]:
    """Judge every opposed concept on the cut against every class it does not hold back."""
    driving = [pair for pair in cached_outside_pairs(case) if not pair.claims_inhibition]
    claims = [pair.make_claim(len(driving)) for pair in driving]
    return findings_from_claims(
        case, KIND, VERSION, [*claims, *_claims_on_confounded_concepts(case)]
    )


def _claims_on_confounded_concepts(case: Case) -> list[Claim]:
    """Claims nobody can test here: concept and class go together in the images themselves."""
    claims: list[Claim] = []
    for column, classes in case.classes_by_confounded_column.items():
        concept = case.concept_columns.names[column]
        for target in classes:
            support = case.support_for_class(concept, target)
            if support.verdict != "opposes":
                continue
            sentence = (
                f"Whether ‘{concept}’ drives {target} cannot be told: in the images units were "
                f"measured on, the two go together, and a unit that tells {target} responds to both."
            )
            claims.append(
                Claim(
                    target=f"{OUTPUT}:{target}",
                    subject=concept,
                    units=(),
                    p_flag=float("nan"),
                    p_support=float("nan"),
                    estimate=float("nan"),
                    ci=(float("nan"), float("nan")),
                    delta=case.settings.delta,
                    power=0.0,
                    write_sentence=lambda _, text=sentence: text,
                    decide=(
                        f"A concept set: images of other things than the classes, with and without "
                        f"{concept}; or images of {target} without {concept}, and of others with it."
                    ),
                    chain=support.chain,
                )
            )
    return claims
