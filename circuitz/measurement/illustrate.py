"""Pictures of what findings are about: inputs before and after their units are put to work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from circuitz.errors import CircuitzError, MeasurementError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.measure import DONORS, SOURCE_IMAGES, measure
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.plausibility.check import check
from circuitz.z.finding import Finding
from circuitz.z.model import AnnotatedModel


@outside_inference_mode
def illustrate(
    z: AnnotatedModel,
    findings: Sequence[Finding] | None = None,
    *,
    lexicon: Lexicon | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> AnnotatedModel:
    """Draw the sets of units that findings are about at work, and measure their joint effects.

    Parameters
    ----------
    z
        Measured. Where D is not at hand, or no effects were measured, nothing can be drawn.
    findings
        By default those that a check flags; none where z cannot be checked.
    lexicon
        The shipped one by default.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    The same z, with pictures; they last until z is measured again.

    Raises
    ------
    MeasurementError
        If z was not measured.
    InputsError, LayerError, WeightsError
        If its network cannot be run.
    """
    if z.measurements is None:
        raise MeasurementError(
            "This model was not measured.", "Run z = cz.measure(z, concept_set, data) first."
        )
    if z.measurements.effects is None or z.data is None:
        return z
    if findings is None:
        try:
            findings = check(z, lexicon=lexicon).flagged
        except CircuitzError:  # whoever checks is told what is missing
            return z
    # As it was measured, or all of it would be measured again.
    settings = z.notes.get("measure", {})
    return measure(
        z,
        findings=findings,
        seed=z.measurements.seed,
        images=int(settings.get("sources", SOURCE_IMAGES)),
        donors=int(settings.get("donors", DONORS)),
        lexicon=lexicon,
        progress=progress,
    )
