"""Named errors: each says what was wrong and what to do about it.

Callers catch the ones that :class:`CircuitzError` is the direct base of: ``UnitError``,
``AnnotationError``, ``BundleError``, ``NetworkError``, ``InterventionError``, ``InputsError``,
``LexiconError``, ``MeasurementError``, ``PeopleError``, ``ServiceError``, and ``ExportRefusedError``
of :mod:`circuitz.labelling.refused`. Each is also the built-in error one would expect. The others say
more exactly, by ``code``, what it was.
"""

from __future__ import annotations

import inspect
import warnings
from importlib import import_module
from typing import Any

from circuitz.deprecation import warn_renamed


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


class UnitError(CircuitzError, LookupError):
    """A unit id is malformed, or names a unit the model does not have."""

    code = "unknown-unit"


class LayerError(UnitError):
    """A layer does not exist, is never called, or has an unexpected shape."""

    code = "layer"


class AnnotationError(CircuitzError, ValueError):
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


class BundleError(CircuitzError, ValueError):
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


class NetworkError(CircuitzError, RuntimeError):
    """The network itself fails when it is run; the cause is chained."""

    code = "network"


class WeightsError(NetworkError):
    """Weights are not finite, or do not fit the architecture."""

    code = "weights"


class RandomNetworkError(NetworkError):
    """The same inputs give other outputs when the network is run again."""

    code = "random-network"


class BatchDependenceError(NetworkError):
    """What the network makes of an input depends on what else is in the batch."""

    code = "batch-dependence"


class GradientError(NetworkError):
    """No gradient can be had, or one that is not finite or goes around part of the network."""

    code = "gradient"


class ProbabilitiesError(NetworkError):
    """A network returns probabilities, and not the logits they are made of."""

    code = "probabilities"


class NetworkWarning(UserWarning):
    """Something about a network or its inputs was found out or assumed, and should be looked at."""


class BuilderError(NetworkError):
    """The network cannot be built: no registered builder, and no live module."""

    code = "builder"


class InterventionError(CircuitzError, ValueError):
    """An intervention does not fit the layer, the inputs, or itself."""

    code = "intervention"


class BasisError(InterventionError):
    """Directions are no basis, or do not fit the layer they are meant for."""

    code = "basis"


class InputsError(CircuitzError, ValueError):
    """Images, labels or concept labels are missing, malformed or unusable."""

    code = "inputs"


class InputsWarning(UserWarning):
    """Something about images, labels or tables was left out or guessed; the message says what."""


class ConceptLabelsError(InputsError):
    """Concept labels are missing or constant, so nothing can be matched with them."""

    code = "concept-labels"


class ColumnNamesError(ConceptLabelsError):
    """Two columns of concept labels cannot be told apart by their names."""

    code = "column-names"


class ContradictingColumnsError(ConceptLabelsError):
    """Two columns of concept labels claim to be one word, and their labels differ."""

    code = "contradicting-columns"


class LexiconError(CircuitzError, ValueError):
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


class MeasurementError(CircuitzError, RuntimeError):
    """A result was asked for that has not been measured, or is stale."""

    code = "not-measured"


class CheckError(InputsError):
    """A check is asked for with settings that make no sense."""

    code = "check"


class ChanceAccuracyError(CheckError):
    """The network is right on D no more often than chance, so that a check of it means nothing."""

    code = "near-chance"


class PeopleError(CircuitzError, ValueError):
    """What people answered, or are to be asked, does not fit together or cannot be kept."""

    code = "people"


class CardError(PeopleError):
    """A card cannot be made, read or shown."""

    code = "card"


class LabellingError(PeopleError):
    """Questions, answers or a label model do not fit together."""

    code = "labelling"


class PosteriorError(PeopleError):
    """What people judged cannot be made into a prior or a likelihood."""

    code = "posterior"


class StoreError(PeopleError):
    """A judgement cannot be stored or read back."""

    code = "store"


class ServiceError(CircuitzError, RuntimeError):
    """Something beside the model is not there or fails: a screen, a cluster, a checkpoint."""

    code = "service"


class SearchError(ServiceError):
    """The search cannot start, or its checkpoint does not belong to this z."""

    code = "search"


class SilenceError(InterventionError):
    """Units cannot be silenced as asked: an unknown finding, no units, nothing to silence."""

    code = "silence"


class DeviceError(ServiceError):
    """There is no such device to run a network on."""

    code = "device"


class LabError(ServiceError):
    """JupyterLab is not installed, or does not start."""

    code = "lab"


class ServeError(ServiceError):
    """A screen cannot be served to others as asked."""

    code = "serve"


class BenchError(ServiceError):
    """There is no such row to time."""

    code = "bench"


class GraphError(InterventionError):
    """A circuit graph is not there, is malformed, or cannot be drawn or changed as asked."""

    code = "graph"


class ClusterError(ServiceError):
    """A cluster cannot be reached, does not fit this installation, or failed."""

    code = "cluster"


def warn_of_network(message: str) -> None:
    """Warn (``NetworkWarning``) whoever called into circuitz, at the line where they did."""
    level, frame = 2, inspect.currentframe()
    frame = frame and frame.f_back
    while frame and frame.f_globals.get("__name__", "").startswith("circuitz"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, NetworkWarning, stacklevel=level)


def __getattr__(name: str) -> Any:
    if name == "ExportRefusedError":
        warn_renamed("circuitz.errors.ExportRefusedError", "circuitz.ExportRefusedError")
        return import_module("circuitz.labelling.refused").ExportRefusedError
    raise AttributeError(f"module 'circuitz.errors' has no attribute {name!r}")
