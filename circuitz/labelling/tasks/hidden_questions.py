"""Questions about pictures that are not shown: raters see how active the card's cues are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.labelling.tasks.pack import Kind, Question, opaque_question_id
from circuitz.labelling.tasks.shifted_pictures import Picture, View
from circuitz.z.inputs import InputSet

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

JUDGED_AS = "label: hidden"


def activities_of_pictures(
    z: AnnotatedModel,
    card: Card,
    pictures: Sequence[Picture],
    view: View,
    progress: Callable[[int, int], None] | None = None,
) -> dict[Picture, CardActivity]:
    """Run z on picture files and return what is shown in place of each.

    Raises
    ------
    MeasurementError
        If what is usual for z's units is not known.
    InputsError
        Naming a picture that cannot be read.
    """
    # Opening a pack needs no network.
    from circuitz.measurement.card_activities import (  # noqa: PLC0415
        card_activities,
        usual_responses,
    )

    usual = usual_responses(z)
    found: list[CardActivity] = []
    for _, images in view.read_picture_batches([p.file for p in pictures], progress):
        found += card_activities(z, card, InputSet(images), mean=usual)
    return dict(zip(pictures, found, strict=True))


def hidden_questions(
    kinds: Sequence[tuple[Kind, Sequence[Picture]]],
    shown: Mapping[Picture, CardActivity],
    seed: int,
) -> list[Question]:
    """Return a question a picture, which shows its activity."""
    return [
        Question(
            opaque_question_id(seed, f"{p.item} {shown[p].hash}", kind, JUDGED_AS),
            p.item,
            kind,
            p.path,
            "",
            judged_as=JUDGED_AS,
            further=(shown[p].hash,),
        )
        for kind, some in kinds
        for p in some
    ]
