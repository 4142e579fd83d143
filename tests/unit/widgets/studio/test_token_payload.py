"""Heads in Studio: the same traits, with pictures of tokens."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.data.text.repeating_sequences import attention_pairs, make_repeating_sequences
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.measure import measure
from circuitz.widgets.studio.unit_detail import unit_detail_payload
from circuitz.widgets.studio.unit_table import UnitTable
from circuitz.wrapping.wrap import wrap
from circuitz.z.model import AnnotatedModel


@pytest.fixture(scope="module")
def z() -> AnnotatedModel:
    made = wrap(
        load_shipped_induction_model("induction"),
        make_repeating_sequences(400),
        subject="letter",
        name="induction",
    )
    return measure(made, attention_pairs(60), images=24, donors=1)


def test_heads_are_listed_with_thumbnails_of_tokens(z: AnnotatedModel) -> None:
    table = UnitTable(z)
    units, effects, atlas = table.first_screen_traits(0)
    assert table.unit_at(0) == "blocks.1.attn.hook_z:0"
    assert units["count"] == 8
    page = Image.open(io.BytesIO(atlas["pages"][0]))
    assert page.width == 16 * atlas["tile"]
    assert effects["targets"][0] == "letter a"


def test_one_head_has_its_contexts_where_it_looks_and_what_that_matches(z: AnnotatedModel) -> None:
    facts, blobs = unit_detail_payload(z, "blocks.0.attn.hook_z:3", Lexicon.load())
    assert facts["matches"][0]["concept"] == "previous token"
    assert facts["matches"][0]["kind"] == "attribute"
    assert all("previous token" in exemplar["shows"] for exemplar in facts["exemplars"])
    assert facts["heat"] == [6, 6]
    assert len(blobs["heat"]) == 36 * len(facts["exemplars"])
    strip = Image.open(io.BytesIO(blobs["images"]))
    assert strip.width == facts["size"][0] * len(facts["exemplars"])
    assert "visual" not in blobs
