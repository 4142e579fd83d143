"""Images or token sequences with whatever is known about them: D, D′, or a concept set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

SPLITS = ("select", "test", "audit")
#: In a vocabulary, the text of the token that fills up short sequences.
PADDING = "[padding]"
#: What tokenizers call it, besides.
PADDING_NAMES = (PADDING, "[PAD]", "<pad>", "<|pad|>", "[pad]", "<PAD>", "<|padding|>", "<padding>")


@dataclass(frozen=True, eq=False)
class InputSet:
    """A set of images, or of token sequences, and the labels that go with it.

    Parameters
    ----------
    images
        ``(n, height, width, channels)`` uint8; or token sequences ``(n, length)`` int32, indices
        into ``vocabulary``. May be a memory map.
    labels, classes
        ``(n,)`` int64 indices into ``classes``, or, where an image may show several classes or
        none, ``(n, len(classes))`` int64 of 0 and 1; ``None`` where there are none.
    concepts, concept_names
        ``(n, c)`` float32 of 0, 1 or NaN (not known), and the names of the columns.
    split
        ``(n,)`` uint8 index into ``SPLITS``, fixed when the set is made; ``None`` when unsplit.
    scene
        ``(n,)`` int64: images of one scene (an image and its counterfactuals) share a number.
    masks, mask_names
        ``(n, height, width)`` uint8 index into ``mask_names`` saying which part each pixel shows
        (0 = nothing named); ``None`` when not known.
    pairs
        ``(m, 3)`` int64: images ``a`` and ``b`` differ in concept column ``c`` alone (present in
        ``a``, absent in ``b``); ``None`` when there are none.
    role
        ``D``, ``D'`` or ``concepts``.
    recipe
        How to make it again (JSON values only); empty for a user's own files.
    vocabulary
        Texts of the tokens; empty for images.
    focus
        ``(n, 2)`` int64: the query and the key position a row is about, where concept labels
        speak of one token looking at another; ``None`` where rows are about whole inputs.
    """

    images: npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    concepts: npt.NDArray[np.float32] | None = None
    concept_names: tuple[str, ...] = ()
    split: npt.NDArray[np.uint8] | None = None
    scene: npt.NDArray[np.int64] | None = None
    masks: npt.NDArray[np.uint8] | None = None
    mask_names: tuple[str, ...] = ()
    pairs: npt.NDArray[np.int64] | None = None
    role: str = "D"
    recipe: dict[str, object] = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ()
    focus: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def is_tokens(self) -> bool:
        """Whether the inputs are token sequences rather than images."""
        return self.images.ndim == 2

    @property
    def padding(self) -> int:
        """Number of the token that fills up short sequences; -1 where none is called so."""
        held = set(self.vocabulary)
        name = next((name for name in PADDING_NAMES if name in held), None)
        return -1 if name is None else self.vocabulary.index(name)
