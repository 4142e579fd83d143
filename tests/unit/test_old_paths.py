"""Scripts written before the rooms were moved run for one release, and are told the new paths."""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib import import_module

import pytest

import circuitz as cz
from circuitz.old_paths import moved_modules

OLD = {old: new for old, new in moved_modules().items() if not old.startswith("circuitz.search.")}


@pytest.mark.parametrize("path", OLD)
def test_every_name_of_a_module_that_moved_is_there(path: str):
    new, changed = OLD[path]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = import_module(path)
        for name in changed:
            assert getattr(module, name) is not None
    assert import_module(new).__name__ == new


def test_a_folder_where_a_module_was_gives_its_names():
    with pytest.warns(DeprecationWarning, match="z.bundle.load_save"):
        from circuitz.z.bundle import load
    assert load is cz.load


def test_the_warning_names_the_new_path():
    code = (
        "import warnings; warnings.simplefilter('error')\nfrom circuitz.data.dogs import make_dogs"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "circuitz.data.worlds.dog_world" in ran.stderr


def test_a_room_that_has_the_name_of_a_verb_now_is_refused_by_its_new_path():
    with pytest.raises(ModuleNotFoundError, match=r"circuitz\.zstar"):
        import_module("circuitz.search.loop")
    assert callable(cz.search)


def test_an_old_name_is_the_new_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "circuitz.plausibility.scores", raising=False)
    with pytest.warns(DeprecationWarning, match=r"plausibility\.words\.word_scores"):
        from circuitz.plausibility.scores import Place
    from circuitz.plausibility.words.word_scores import UnitTables

    assert Place is UnitTables


def test_what_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError):
        import_module("circuitz.features.nothing")
    old = import_module("circuitz.z.history")
    with pytest.raises(AttributeError):
        _ = old.nothing


def test_importing_the_package_loads_no_torch():
    code = "import circuitz, sys; print('torch' in sys.modules, 'numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
