from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from circuitz.errors import UnitError
from circuitz.widgets.studio import sprite_sheets as sheets
from circuitz.widgets.studio import unit_table as units
from circuitz.widgets.studio.unit_table import UnitTable


def exemplars(found: dict) -> np.ndarray:
    return np.frombuffer(found["exemplars"], "<i4").reshape(-1, 9)


def effects(found: dict, how: str = "sufficiency") -> np.ndarray:
    return np.frombuffer(found[how], "<f4").reshape(-1, 3, 3)


def test_rows_come_cut_first_and_every_unit_has_one(z):
    table = UnitTable(z)
    ids = [table.unit_at(row) for row in range(table.count)]
    assert ids[0] == "conv4:0"
    assert ids[-1] == "conv3:1"
    assert [table.row_of(unit) for unit in ids] == list(range(10))


@pytest.mark.parametrize(
    "unit", ["conv4:8", "conv4:-1", "conv4:01", "conv4: 1", "conv4:²", "conv9:0", "conv4", "", ":"]
)
def test_what_is_no_unit_has_no_row(z, unit):
    assert UnitTable(z).row_of(unit) == -1


@pytest.mark.parametrize("row", [-1, 10])
def test_a_row_that_is_none_is_refused(z, row):
    with pytest.raises(UnitError, match="no row"):
        UnitTable(z).unit_at(row)


def test_few_units_come_at_once_with_all_their_pictures(z):
    columns, shown, atlas = UnitTable(z).first_screen_traits(3)
    assert columns["rows"] is None
    assert columns["count"] == 10
    assert len(columns["boxes"]) == 10 * 9 * 4
    assert len(effects(shown)) == 10
    images = np.frombuffer(atlas["images"], "<i4")
    assert sorted(images) == np.unique(z.measurements.layers["conv4"].exemplars).tolist()
    assert (exemplars(columns)[8:] == -1).all()


def test_of_many_units_those_round_the_first_come(z, monkeypatch):
    monkeypatch.setattr(units, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(units, "FIRST_ROWS", 2)
    table = UnitTable(z)
    whole = exemplars(table.columns_as_bytes(np.arange(10)))
    for first in (0, 5, 9):
        columns, shown, atlas = table.first_screen_traits(first)
        rows = np.frombuffer(columns["rows"], "<i4")
        assert first in rows
        assert (exemplars(columns) == whole[rows]).all()
        assert len(effects(shown)) == len(rows)
        pictured = whole[rows][:, :4]
        assert set(np.frombuffer(atlas["images"], "<i4")) == set(pictured[pictured >= 0])


def test_an_exemplar_is_found_in_the_sheet_where_it_says(z):
    table = UnitTable(z)
    wanted = z.measurements.layers["conv4"].exemplars[2, 4]
    atlas = table.thumbnails_of_requested_images([5, int(wanted), 9])
    page = Image.open(io.BytesIO(atlas.pages[0]))
    shown = np.asarray(page.crop((atlas.tile, 0, 2 * atlas.tile, atlas.tile)).resize((16, 16)))
    truth, other = z.concept_set.images[[wanted, (wanted + 1) % len(z.concept_set)]]
    assert np.abs(shown.astype(int) - truth).mean() < 25
    assert np.abs(shown.astype(int) - truth).mean() < np.abs(shown.astype(int) - other).mean()


def test_each_picture_is_sent_once_and_best_ranks_come_first(z, monkeypatch):
    best = z.measurements.layers["conv4"].exemplars
    monkeypatch.setattr(sheets, "MOST_TILES", 8)
    images = np.frombuffer(UnitTable(z).first_screen_traits(0)[2]["images"], "<i4")
    assert len(np.unique(images)) == len(images) == 8
    assert set(images) <= set(best[:, :2].ravel().tolist())


def test_crops_are_shares_of_the_picture(z):
    boxes = np.frombuffer(UnitTable(z).columns_as_bytes(np.array([1, 8]))["boxes"], np.uint8)
    boxes = boxes.reshape(2, 9, 4) / 255
    assert boxes[0, 0] == pytest.approx([2 / 16, 4 / 16, 10 / 16, 12 / 16], abs=1 / 255)
    assert boxes[1, 0].tolist() == [0, 0, 1, 1]


def test_effects_name_the_driver_with_its_interval_and_nan_outside_the_cut(z):
    found = effects(UnitTable(z).columns_as_bytes(np.arange(10)))
    estimate, low, high = found[0, 0]
    assert low < 0.4 < high
    assert low < estimate < high
    assert np.isnan(found[8:]).all()


def test_drivers_are_those_whose_interval_excludes_no_effect(z):
    table = UnitTable(z)
    for how in ("sufficiency", "necessity"):
        found = effects(table.columns_as_bytes(np.arange(10)), how)[:, 0]
        driving, largest = table.drivers("husky", how)
        expected = [row for row in np.argsort(-found[:, 0]) if found[row, 1] > 0]
        assert driving.tolist() == expected
        assert largest.tolist() == np.argsort(-np.abs(found[:8, 0])).tolist()
    assert {0, 1} <= set(table.drivers("husky", "sufficiency")[0].tolist())


def test_before_measuring_there_are_names_and_nothing_else(make_z):
    table = UnitTable(make_z(measured=False))
    columns, shown, atlas = table.first_screen_traits(0)
    assert columns["count"] == 10
    assert (exemplars(columns) == -1).all()
    assert shown["targets"] == []
    assert shown["sufficiency"] is None
    assert atlas["pages"] == []


def test_exemplars_beyond_the_concept_set_are_not_shown(z):
    z.measurements.layers["conv4"].exemplars[0, 0] = len(z.concept_set)
    assert exemplars(UnitTable(z).columns_as_bytes(np.array([0])))[0, 0] == -1
