from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from circuitz.data.folders.write_folder import relative_picture_paths, write_folder
from circuitz.data.worlds.bird_world import make_birds
from circuitz.errors import InputsError
from circuitz.evaluation.truth_table import read_truth_table
from circuitz.evaluation.world_truth import birds_truth
from circuitz.evaluation.write_truth import write_rendered_truth
from circuitz.z.inputs import InputSet


def test_what_is_written_is_what_evaluate_reads(tmp_path: Path) -> None:
    made = make_birds("D'", 3, seed=2, shortcut="two")
    folder = write_folder(made, tmp_path / "world")
    files = [tmp_path / "world" / name for name in relative_picture_paths(made)]
    table = write_rendered_truth(made, files, tmp_path / "aside" / "truth.csv")
    truth = birds_truth("D'", 3, seed=2, shortcut="two")
    read = read_truth_table(table, folder, made.classes)
    assert np.array_equal(read.labels, truth.labels)
    assert read.group_names == (*truth.grounds, "leg ring")
    assert np.array_equal(read.groups, truth.concepts[:, -7:])
    assert not read.unlabelled


def test_a_set_that_was_not_rendered_has_no_truth(tmp_path: Path) -> None:
    made = make_birds("D'", 1)
    with pytest.raises(InputsError, match="not known"):
        write_rendered_truth(InputSet(made.images), [], tmp_path / "truth.csv")
    assert not (tmp_path / "truth.csv").exists()
