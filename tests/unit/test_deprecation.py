"""Keywords by their old names work, and say the new one."""

from __future__ import annotations

import inspect

import pytest

import circuitz as cz
from circuitz.deprecation import renamed_keywords

CHANGED = {
    "ablate": {"store": "checkpoint"},
    "direction_effect": {"how": "intervention"},
    "directions": {"how": "method"},
    "effect": {"sources": "units", "where": "subset", "how": "intervention"},
    "measure": {"sources": "images", "store": "checkpoint"},
    "path_effect": {"sources": "units", "where": "subset", "how": "intervention"},
    "search": {"state": "checkpoint"},
}


@renamed_keywords(old="new")
def double(new: int) -> int:
    return 2 * new


def test_the_old_keyword_works_and_warns_whoever_used_it():
    with pytest.warns(DeprecationWarning, match=r"double\(old=…\) is called new= now") as caught:
        assert double(old=3) == 6  # pyright: ignore[reportCallIssue]
    assert caught[0].filename == __file__


def test_the_new_keyword_is_silent(recwarn: pytest.WarningsRecorder):
    assert double(new=3) == double(3) == 6
    assert not recwarn.list


def test_both_together_are_refused():
    with pytest.raises(TypeError, match="not both"):
        double(new=1, old=2)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("verb", CHANGED)
def test_verbs_take_old_keywords(verb: str):
    function = getattr(cz, verb)
    names = inspect.signature(function).parameters
    for old, new in CHANGED[verb].items():
        assert new in names
        assert old not in names
        with (
            pytest.warns(DeprecationWarning, match=f"{new}="),
            pytest.raises((TypeError, AttributeError, cz.CircuitzError)),
        ):
            function(None, **{old: None})


def test_settings_of_the_search_take_their_old_names():
    with pytest.warns(DeprecationWarning, match="region_mode="):
        settings = cz.SearchSettings(where="random", sources=30)  # pyright: ignore[reportCallIssue]
    assert (settings.region_mode, settings.images) == ("random", 30)
    # On disk the names stay.
    assert (settings.to_json()["where"], settings.to_json()["sources"]) == ("random", 30)
