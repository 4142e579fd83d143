"""What a simulated person supposes of a class or a unit after looking at its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_MOST_CHIPS, _OFTEN = 4, 0.6


def hypothesis_chips(seen: Sequence[Mapping[str, bool]]) -> list[str]:
    """Return the concepts seen in most of the pictures, the commonest first.

    Parameters
    ----------
    seen
        What was seen in each picture.
    """
    counts: dict[str, list[bool]] = {}
    for one in seen:
        for name, there in one.items():
            counts.setdefault(name, []).append(there)
    share = {name: sum(found) / len(found) for name, found in counts.items()}
    often = sorted((n for n in share if share[n] >= _OFTEN), key=lambda n: (-share[n], n))
    return often[:_MOST_CHIPS]
