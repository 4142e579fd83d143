"""What a search must be handed, and named refusals of what it cannot take."""

from __future__ import annotations

from circuitz.errors import InputsError, SearchError
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.chain_settings import ChainSettings
from circuitz.zstar.search_settings import SearchSettings


def require_searchable(z: AnnotatedModel) -> None:
    """Refuse a z without D, labels of one class an input, or a concept set.

    Raises
    ------
    InputsError, SearchError
        With what to do.
    """
    if z.data is None or z.data.labels is None or z.concept_set is None:
        raise InputsError(
            "The search needs D with labels, and a concept set.",
            "Give them to wrap and measure, or pass --data.",
        )
    if z.head == "multi-label" or z.data.labels.ndim != 1:
        raise SearchError(
            "The search weighs labels of one class an image; here images may show several.",
            "Search a network for each class by itself: a binary head, with or without it.",
        )


def require_editable_pictures(z: AnnotatedModel) -> None:
    """Refuse a z that weight steps cannot train: no pictures, or sets of different sizes.

    Raises
    ------
    InputsError, SearchError
        With what to do.
    """
    require_searchable(z)
    assert z.data is not None
    assert z.concept_set is not None
    if z.data.is_tokens:
        raise SearchError(
            "The search edits pictures; this network reads token sequences.",
            "Train it on sequences in which the shortcut fails, wrap and check it again.",
        )
    if z.data.images.shape[1:] != z.concept_set.images.shape[1:]:
        raise InputsError(
            f"Images of D are {z.data.images.shape[1:]}, those of the concept set "
            f"{z.concept_set.images.shape[1:]}: one cannot lend to the other.",
            "Bring both to one size and number of channels.",
        )


def require_models_fit_settings(
    prior: object | None, likelihood: object | None, settings: SearchSettings | ChainSettings | None
) -> None:
    """Refuse settings of the one search with the models of the other, and M_L alone.

    Raises
    ------
    SearchError
        With what to do.
    """
    if prior is not None and isinstance(settings, SearchSettings):
        raise SearchError(
            "With fitted models a search takes ChainSettings.", "Give settings=ChainSettings()."
        )
    if prior is None and likelihood is not None:
        raise SearchError(
            "M_L alone is no posterior: a shortcut that fits D has the highest likelihood.",
            "Give the fitted prior, too: prior=cz.fit_prior(…).",
        )
    if prior is None and isinstance(settings, ChainSettings):
        raise SearchError(
            "ChainSettings are for a search with fitted models.",
            "Give prior= and likelihood=, or settings=SearchSettings().",
        )
