"""What people said that classes look like and units see, as annotations of z."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from circuitz.cards.judged.hypothesis import Hypothesis
from circuitz.errors import CircuitzError
from circuitz.z.annotation import AuthorKind

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def with_hypotheses(
    z: AnnotatedModel, hypotheses: Iterable[Hypothesis]
) -> tuple[AnnotatedModel, list[str]]:
    """Return z with what people said as annotations, and what could not be written.

    Each person's words become an annotation of theirs, in their order; of a simulated rater or a
    model the author's kind is ``model``. Confidence is the share of those who answered about the
    target that said the phrase which was said most. They are proposals as any annotation is: the
    check decides whether they hold.

    Parameters
    ----------
    z
        The model.
    hypotheses
        Answers, in the order they were given; those about another z than this one or the one it was
        made from are left out, and said to be.
    """
    told = list(hypotheses)
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    raters: Counter[str] = Counter()
    for one in told:
        votes[one.target].update(set(one.phrases))
        raters[one.target] += 1
    left_out: list[str] = []
    same = {"", z.hash, z.parent}
    for one in told:
        if not one.phrases:
            continue
        if one.z_hash not in same:
            left_out.append(f"{one.rater} on {one.target}: said of another z, {one.z_hash[:12]}.")
            continue
        kind: AuthorKind = "person" if one.rater_kind == "person" else "model"
        most = max(votes[one.target][phrase] for phrase in one.phrases)
        try:
            z = z.annotate(
                one.target, "; ".join(one.phrases), author=one.rater, author_kind=kind,
                confidence=round(most / raters[one.target], 3),
            )  # fmt: skip
        except CircuitzError as error:
            left_out.append(f"{one.rater} on {one.target}: {error.message}")
    return z, left_out
