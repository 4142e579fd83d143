"""From a wrapped network to a z that can be checked: measured, named by a rule, illustrated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from circuitz.measurement.illustrate import illustrate
from circuitz.measurement.measure import measure
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.plausibility.propose import propose

if TYPE_CHECKING:
    from circuitz.jobs.connect import Cluster
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[str, int, int], None]


@outside_inference_mode
def prepare(
    z: AnnotatedModel,
    concept_set: InputSet | None = None,
    data: InputSet | None = None,
    *,
    seed: int = 0,
    visualise: bool | Sequence[str] = False,
    lexicon: Lexicon | None = None,
    cluster: Cluster = None,
    progress: Progress | None = None,
) -> AnnotatedModel:
    """Measure every unit, let a rule propose words, measure those, and draw what a check flags.

    The same as :func:`~circuitz.measurement.measure.measure`,
    :func:`~circuitz.plausibility.propose.propose`, ``measure`` again (only the sets of units that
    share a word are new) and :func:`~circuitz.measurement.illustrate.illustrate`. Words of people
    stay as they are.

    Parameters
    ----------
    z
        A model whose network can be run.
    concept_set, data
        As of ``measure``: images with concept labels, and D. Default: those z has.
    seed
        Of everything random.
    visualise
        Whether to optimise pictures, too; names of layers for some only.
    lexicon
        Prior knowledge of kinds; the shipped one by default.
    cluster
        Where to measure: as of ``measure``.
    progress
        Called with the name of a step, how far it is, and of how many.

    Returns
    -------
    AnnotatedModel
        z with responses, exemplars, effects, words of author kind *rule*, and pictures.

    Raises
    ------
    InputsError
        If images or concept labels are missing or do not fit.
    MeasurementError
        If the network does not tell a class from the others on D.
    """

    def progress_for_stage(name: str) -> Callable[[int, int], None]:
        return lambda done, total: None if progress is None else progress(name, done, total)

    z = measure(
        z, concept_set, data, seed=seed, visualise=visualise, lexicon=lexicon, cluster=cluster,
        progress=progress_for_stage("look at every unit"),
    )  # fmt: skip
    z = measure(
        propose(z, lexicon=lexicon), seed=seed, visualise=visualise, lexicon=lexicon,
        cluster=cluster, progress=progress_for_stage("measure what words say"),
    )  # fmt: skip
    return illustrate(z, lexicon=lexicon, progress=progress_for_stage("draw findings"))
