"""Which token of a vocabulary fills up short texts: by its name, or by what the network says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuitz.models.run.text_padding import padded_sides, real_token_mask
from circuitz.z.inputs import PADDING, InputSet


def name_padding(net: Any, data: InputSet) -> tuple[InputSet, tuple[str, ...]]:
    """Return texts whose vocabulary names the padding, where it can be known, and what to say.

    Parameters
    ----------
    net
        The network; one of Hugging Face has ``config.pad_token_id``.
    data
        Token sequences.
    """
    if data.padding >= 0:
        return data, ()
    told = getattr(getattr(net, "config", None), "pad_token_id", None)
    if isinstance(told, int) and 0 <= told < len(data.vocabulary):
        if not padded_sides(data.images, told):
            return data, ()
        text = data.vocabulary[told]
        tokens = torch.from_numpy(np.asarray(data.images, np.int64))
        if bool(((tokens == told) & real_token_mask(tokens, told)).any()):
            return data, (
                f"Token {told} ({text!r}) is what the network's config.pad_token_id says fills up "
                "short texts, but it stands within texts as well: it is read like any other. Name "
                f"padding {PADDING!r} in the vocabulary if there is any.",
            )
        return with_padding_named(data, told), (
            f"Token {told} ({text!r}) fills up short texts, as the network's config.pad_token_id "
            f"says: it is named {PADDING!r} here.",
        )
    guess = _token_at_many_ends(data.images)
    if guess < 0:
        return data, ()
    return data, (
        f"Many texts end, or begin, with more than one token {guess} "
        f"({data.vocabulary[guess]!r}). If it fills up short texts, nobody says so, and it is read "
        f"like any other: name it {PADDING!r} in the vocabulary.",
    )


def with_padding_named(data: InputSet, padding: int) -> InputSet:
    """Return texts whose vocabulary names a token as padding."""
    if padding < 0 or data.padding == padding:
        return data
    words = list(data.vocabulary)
    words[padding] = PADDING
    return replace(data, vocabulary=tuple(words))


def _token_at_many_ends(tokens: npt.NDArray[Any]) -> int:
    """Return the token that ends, or begins, a tenth of the texts more than once; -1 if none."""
    if tokens.shape[1] < 3:
        return -1
    for a, b in ((-1, -2), (0, 1)):
        twice = tokens[tokens[:, a] == tokens[:, b]][:, a]
        if not len(twice):
            continue
        values, counts = np.unique(twice, return_counts=True)
        most = int(counts.argmax())
        # By chance other tokens would be doubled as often.
        rest = len(twice) - int(counts[most])
        if counts[most] >= max(3, len(tokens) // 10) and rest <= counts[most] // 4:
            return int(values[most])
    return -1
