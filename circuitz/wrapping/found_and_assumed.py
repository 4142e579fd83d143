"""What a user should know of a network that was wrapped: its accuracy, and what was assumed."""

from __future__ import annotations

from circuitz.errors import warn_of_network
from circuitz.wrapping.count_accuracy import with_accuracy
from circuitz.z.assumed_preprocessing import PREPROCESSING_NOTE, preprocessing_is_assumed
from circuitz.z.model import AnnotatedModel


def with_accuracy_and_warnings(z: AnnotatedModel) -> AnnotatedModel:
    """Return a z whose accuracy on D is counted, and warn of what may be wrong with it."""
    z = with_accuracy(z)
    remarks = list(z.remarks)
    if preprocessing_is_assumed(z):
        remarks.append(str(z.notes[PREPROCESSING_NOTE]))
    if z.accuracy is not None and not z.accuracy.beats_chance:
        remarks.append(z.accuracy.warning())
    for remark in remarks:
        warn_of_network(remark)
    return z.with_(remarks=tuple(remarks))
