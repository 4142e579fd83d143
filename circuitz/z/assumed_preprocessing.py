"""Whether a z's preprocessing was told by anybody, or assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Where a z's notes tell where its preprocessing comes from.
PREPROCESSING_NOTE: Final = "preprocessing"
# How every such note begins, in bundles of any version.
_ASSUMED: Final = "Preprocessing was not given and is assumed"
ASSUMED_PREPROCESSING: Final = (
    f"{_ASSUMED} to be mean .5, std .25. If the network was trained otherwise, every finding is "
    "silently wrong: pass preprocess=."
)


def preprocessing_is_assumed(z: AnnotatedModel) -> bool:
    """Whether neither the user nor the network said how images become inputs."""
    return str(z.notes.get(PREPROCESSING_NOTE, "")).startswith(_ASSUMED)
