from __future__ import annotations

from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.unit_groups import (
    group_picture_key,
    sort_unit_group,
    unit_groups_from_annotations,
)

from ..effects.conftest import make_z

UNITS = tuple(f"colour:{u}" for u in range(4))


def test_one_set_a_concept_a_kind_and_for_all():
    z = make_z()
    z = z.annotate("colour:2", "snow").annotate("colour:1", "grass").annotate("colour:0", "tail")
    found = unit_groups_from_annotations(z, UNITS)
    assert ("colour:2",) in found
    assert ("colour:0",) in found
    assert ("colour:1", "colour:2") in found, "surroundings together"
    assert ("colour:0", "colour:1", "colour:2") in found, "everything annotated"
    assert len(set(found)) == len(found)
    assert all(found)


def test_narrow_concepts_also_count_for_the_wide_one():
    z = make_z().annotate("colour:0", "pointed ears").annotate("colour:1", "floppy ears")
    assert ("colour:0", "colour:1") in unit_groups_from_annotations(z, UNITS)


def test_groups_people_made_and_units_elsewhere():
    z = make_z().annotate("group:colour:3,colour:1", "snow").annotate("output:husky", "a dog")
    found = unit_groups_from_annotations(z, UNITS)
    assert ("colour:1", "colour:3") in found
    assert all(u in UNITS for group in found for u in group)
    assert unit_groups_from_annotations(z, ("other:0",)) == ()
    assert unit_groups_from_annotations(make_z(), UNITS) == ()


def test_withdrawn_words_make_no_set():
    z = make_z().annotate("colour:2", "snow").undo()
    assert unit_groups_from_annotations(z, UNITS) == ()


def test_a_lexicon_of_one_s_own_decides_the_kinds():
    z = make_z().annotate("colour:2", "snow").annotate("colour:0", "tail")
    placebo = Lexicon.load().with_override("snow", kind="part", part_of=["dog"])
    assert set(unit_groups_from_annotations(z, UNITS, placebo)) >= {("colour:0", "colour:2")}


def test_order_and_keys():
    group = sort_unit_group(["conv4:10", "conv4:9", "conv4:9"])
    assert group == ("conv4:9", "conv4:10")
    assert group_picture_key(group, "husky") == "conv4:9+conv4:10->husky"
