"""Named errors: each says what was wrong and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuitz.z.finding import Finding
    from circuitz.z.model import AnnotatedModel


class CircuitzError(Exception):
    """Base of every error circuitz raises on purpose.

    Parameters
    ----------
    message
        What was wrong, in one sentence.
    hint
        What the reader can do about it, in one sentence.
    """

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UnitError(CircuitzError):
    """A unit id is malformed, or names a unit the model does not have."""

    code = "unknown-unit"


class AnnotationError(CircuitzError):
    """An annotation cannot be written, retracted or undone as asked."""

    code = "annotation"


class AnnotationFileError(AnnotationError):
    """A file of annotations cannot be read or written; the message names the lines."""

    code = "annotation-file"


class ConflictError(AnnotationError):
    """Somebody else changed what is about to be changed; ``details`` says to what."""

    code = "conflict"

    def __init__(self, message: str, hint: str = "", *, theirs: dict[str, str]) -> None:
        super().__init__(message, hint)
        self.theirs = theirs


class BundleError(CircuitzError):
    """A bundle on disk cannot be read or written."""

    code = "bundle"


class BundleTruncatedError(BundleError):
    """A file of the bundle is missing or ends early."""

    code = "bundle-truncated"


class BundleTamperedError(BundleError):
    """A file's content does not fit the hash the bundle records for it."""

    code = "bundle-tampered"


class BundleSchemaError(BundleError):
    """The bundle was written with a schema this version cannot read."""

    code = "bundle-schema"


class BundleWriteError(BundleError):
    """The bundle could not be written (read-only, full disk); the old one is untouched."""

    code = "bundle-write"


class BundleUnsafeError(BundleError):
    """The bundle asks for something no honest bundle needs (paths outside it, links, bombs)."""

    code = "bundle-unsafe"


class BundleFormatError(BundleError):
    """A file of the bundle is not what its place says it is."""

    code = "bundle-format"


class BundleLockedError(BundleWriteError):
    """Another process is writing the bundle and did not finish in time."""

    code = "bundle-locked"


class BundleWarning(UserWarning):
    """Something about a bundle was put right or set aside; nothing was lost."""


class WeightsError(CircuitzError):
    """Weights are not finite, or do not fit the architecture."""

    code = "weights"


class BuilderError(CircuitzError):
    """The network cannot be built: no registered builder, and no live module."""

    code = "builder"


class NetworkError(CircuitzError):
    """The network itself fails when it is run; the cause is chained."""

    code = "network"


class LayerError(CircuitzError):
    """A layer does not exist, is never called, or has an unexpected shape."""

    code = "layer"


class BasisError(CircuitzError):
    """Directions are no basis, or do not fit the layer they are meant for."""

    code = "basis"


class InputsError(CircuitzError):
    """Images, labels or concept labels are missing, malformed or unusable."""

    code = "inputs"


class ConceptLabelsError(InputsError):
    """Concept labels are missing or constant, so nothing can be matched with them."""

    code = "concept-labels"


class LexiconError(CircuitzError):
    """The lexicon is malformed or does not know a concept that was asked for."""

    code = "lexicon"


class UnknownConceptError(LexiconError):
    """Neither the lexicon's entries nor WordNet know a concept."""

    code = "unknown-concept"


class ContradictoryOverridesError(LexiconError):
    """Two overrides say opposite things of one concept."""

    code = "contradictory-overrides"


class CyclicSynonymsError(LexiconError):
    """Concepts that are called synonyms of one another."""

    code = "cyclic-synonyms"


class MeasurementError(CircuitzError):
    """A result was asked for that has not been measured, or is stale."""

    code = "not-measured"


class CheckError(CircuitzError):
    """A check is asked for with settings that make no sense."""

    code = "check"


class ExportRefusedError(CircuitzError):
    """Findings stand against the model and nobody waived them.

    Parameters
    ----------
    findings
        The findings that stand against it.
    z
        The model with this reading of *audit* on record; save it, so that the reading counts.
    """

    code = "export-refused"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        findings: tuple[Finding, ...] = (),
        z: AnnotatedModel | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.findings = findings
        self.z = z


class CardError(CircuitzError):
    """A card cannot be made, read or shown."""

    code = "card"


class LabellingError(CircuitzError):
    """Questions, answers or a label model do not fit together."""

    code = "labelling"


class StoreError(CircuitzError):
    """A judgement cannot be stored or read back."""

    code = "store"


class SearchError(CircuitzError):
    """The search cannot start, or its checkpoint does not belong to this z."""

    code = "search"


class SilenceError(CircuitzError):
    """Units cannot be silenced as asked: an unknown finding, no units, nothing to silence."""

    code = "silence"


class LabError(CircuitzError):
    """JupyterLab is not installed, or does not start."""

    code = "lab"


class DeviceError(CircuitzError):
    """There is no such device to run a network on."""

    code = "device"


class ServeError(CircuitzError):
    """A screen cannot be served to others as asked."""

    code = "serve"


class BenchError(CircuitzError):
    """There is no such row to time."""

    code = "bench"


class InterventionError(CircuitzError):
    """An intervention does not fit the layer, the inputs, or itself."""

    code = "intervention"


class GraphError(CircuitzError):
    """A circuit graph is not there, is malformed, or cannot be drawn or changed as asked."""

    code = "graph"


class ClusterError(CircuitzError):
    """A cluster cannot be reached, does not fit this installation, or failed."""

    code = "cluster"
