from __future__ import annotations

import numpy as np
import pytest

from circuitz.plausibility.words.match_tables import MatchTableCache


def data(n: int = 60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    y = (rng.random((n, 2)) < 0.4).astype(np.float32)
    return x, y, np.arange(n), np.arange(n) % 2 == 0


def test_the_same_contents_give_the_same_table_and_others_a_new_one() -> None:
    tables = MatchTableCache()
    x, y, scene, rows = data()
    first = tables.get_or_make_table(x, y, scene, rows)
    assert tables.get_or_make_table(x.copy(), y.copy(), scene.copy(), rows.copy()) is first
    assert tables.get_or_make_table(x, y, scene, ~rows) is not first
    x[0, 0] += 1
    assert tables.get_or_make_table(x, y, scene, rows) is not first


def test_only_the_latest_are_kept() -> None:
    tables = MatchTableCache(capacity=2)
    x, y, scene, rows = data()
    first = tables.get_or_make_table(x, y, scene, rows)
    tables.get_or_make_table(x + 1, y, scene, rows)
    assert tables.get_or_make_table(x, y, scene, rows) is first
    tables.get_or_make_table(x + 2, y, scene, rows)
    assert tables.get_or_make_table(x, y, scene, rows) is first
    tables.get_or_make_table(x + 3, y, scene, rows)
    tables.get_or_make_table(x + 4, y, scene, rows)
    assert tables.get_or_make_table(x, y, scene, rows) is not first


def test_coincidence_is_the_correlation_of_labels_where_both_are_known() -> None:
    x, y, scene, _ = data(200)
    y[:50, 0] = np.nan
    table = MatchTableCache().get_or_make_table(x, y, scene, np.ones(200, bool))
    expected = np.corrcoef(y[50:, 0], y[50:, 1])[0, 1]
    # Each column's own mean runs over the images where both are known.
    assert table.label_correlations[0, 1] == pytest.approx(expected, abs=1e-6)
    assert table.label_correlations[0, 0] == pytest.approx(1)
    y[:, 1] = 0
    constant = MatchTableCache().get_or_make_table(x, y, scene, np.ones(200, bool))
    assert constant.label_correlations[0, 1] == 0


def test_values_average_to_the_score() -> None:
    x, y, scene, rows = data()
    table = MatchTableCache().get_or_make_table(x, y, scene, rows)
    assert table.nauprc_values_by_image(1, 0).mean() == pytest.approx(
        table.match_all_units.nauprc[1, 0]
    )
    assert table.nauprc_values_by_image(1, 0) is table.nauprc_values_by_image(1, 0)


def test_some_units_are_matched_as_all_of_them_are() -> None:
    x, y, scene, rows = data()
    y[3, 0] = np.nan
    table = MatchTableCache().get_or_make_table(x, y, scene // 2, rows)
    table.match_and_cache_units([2, 0, 2])
    for unit in (0, 1, 2):
        for name in ("nauprc", "pearson", "p"):
            whole = getattr(table.match_all_units, name)[unit]
            np.testing.assert_allclose(getattr(table.unit_scores(unit), name), whole, atol=1e-12)
    assert table.unusable_reasons == table.match_all_units.reasons


def test_what_speaks_against_a_concept_is_known_without_units() -> None:
    x, y, scene, rows = data()
    y[:, 1] = 1
    table = MatchTableCache().get_or_make_table(x[:, :0], y, scene, rows)
    assert table.unusable_reasons[0] == ""
    assert table.unusable_reasons[1].startswith("constant")


def test_what_nobody_can_change_is_known_by_its_place() -> None:
    tables = MatchTableCache()
    x, y, scene, rows = data()
    mapped = np.frombuffer(memoryview(x.tobytes()), np.float32).reshape(x.shape)
    table = tables.get_or_make_table(mapped, y, scene, rows)
    assert tables.get_or_make_table(mapped, y, scene, rows) is table
    assert tables.get_or_make_table(mapped, y, scene, ~rows) is not table
    assert tables.get_or_make_table(mapped, 1 - y, scene, rows) is not table
    copied = tables.get_or_make_table(x, y, scene, rows)
    assert copied is not table
    np.testing.assert_array_equal(table.responses_on_split, copied.responses_on_split)
    assert (table.unit_scores(1).nauprc == copied.unit_scores(1).nauprc).all()
    assert (table.nauprc_values_by_image(2, 1) == copied.nauprc_values_by_image(2, 1)).all()


def test_a_view_of_what_can_change_is_looked_at_again() -> None:
    tables = MatchTableCache()
    x, y, scene, rows = data()
    view = x[:]
    view.flags.writeable = False
    first = tables.get_or_make_table(view, y, scene, rows)
    assert tables.get_or_make_table(view, y, scene, rows) is first
    x[0, 0] += 1
    assert tables.get_or_make_table(view, y, scene, rows) is not first


def test_what_was_cleared_is_made_anew() -> None:
    tables = MatchTableCache()
    x, y, scene, rows = data()
    first = tables.get_or_make_table(x, y, scene, rows)
    tables.clear()
    assert tables.get_or_make_table(x, y, scene, rows) is not first
