"""Heads measured, annotated and checked with the rules that check images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import circuitz as cz
from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.data.text.repeating_sequences import FIXED, attention_pairs, make_repeating_sequences
from circuitz.errors import InputsError, LayerError, SearchError, UnitError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.from_heads import HeadDownstream
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose
from circuitz.responses.token_responses import measure_responses_to_position_pairs
from circuitz.wrapping.wrap import wrap
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.search import search


def _measured(name: str) -> AnnotatedModel:
    periods = (FIXED, FIXED) if name == "fixed" else (5, 14)
    data = make_repeating_sequences(1200, periods=periods)
    z = wrap(load_shipped_induction_model(name), data, subject="letter", name=name)
    return measure(z, attention_pairs(150), images=72, donors=1)


@pytest.fixture(scope="module")
def induction() -> AnnotatedModel:
    z = propose(_measured("induction"))
    return measure(z, images=72, donors=1)


@pytest.fixture(scope="module")
def fixed() -> AnnotatedModel:
    return _measured("fixed")


def _verdicts(z: AnnotatedModel, kind: str = "mislabelled-unit") -> dict[str, str]:
    return {f.units[0]: f.verdict for f in check(z).findings if f.kind == kind}


def test_heads_are_proposed_by_what_they_look_at_and_hold(induction: AnnotatedModel) -> None:
    words = {target: said.concepts for target, said in induction.effective().items()}
    first = {f"blocks.0.attn.hook_z:{h}" for h in range(4)}
    second = {f"blocks.1.attn.hook_z:{h}" for h in range(4)}
    assert {u for u, c in words.items() if c == ("previous token",)} == first
    assert {u for u, c in words.items() if c == ("induction target",)} == second
    assert set(_verdicts(induction).values()) == {"supported"}
    report = check(induction)
    assert max(estimate for estimate, _, _ in report.unexplained.values()) < 0.3


def test_swapped_words_are_flagged(induction: AnnotatedModel) -> None:
    z = induction.annotate("blocks.0.attn.hook_z:3", "induction head")
    z = z.annotate("blocks.1.attn.hook_z:0", "looks at the previous token")
    z = z.annotate("blocks.1.attn.hook_z:3", "duplicate token head")
    found = _verdicts(z)
    assert {u for u, verdict in found.items() if verdict == "flagged"} == {
        "blocks.0.attn.hook_z:3", "blocks.1.attn.hook_z:0", "blocks.1.attn.hook_z:3",
    }  # fmt: skip


def test_a_head_that_fits_d_by_a_fixed_distance_is_no_induction_head(fixed: AnnotatedModel) -> None:
    z = fixed
    for head in range(4):
        z = z.annotate(f"blocks.0.attn.hook_z:{head}", "induction head")
    assert set(_verdicts(z).values()) == {"flagged"}


def test_under_its_right_name_the_shortcut_is_an_implausible_driver(
    fixed: AnnotatedModel, induction: AnnotatedModel
) -> None:
    z = measure(propose(fixed), images=72, donors=1)
    found = [f for f in check(z).findings if f.kind == "implausible-driver"]
    assert len(found) == 24
    flagged = [f for f in found if f.verdict == "flagged"]
    assert len(flagged) > 20
    assert all("fixed distance" in f.sentence for f in flagged)
    # A mechanism that belongs to the letters drives them all as well, and nobody minds.
    assert not [f for f in check(induction).findings if f.kind == "implausible-driver"]


def test_a_bundle_holds_it_all_and_is_checked_without_the_network(
    induction: AnnotatedModel, tmp_path: Path
) -> None:
    induction.with_(live=None).save(tmp_path / "ind.z")
    back = cz.load(tmp_path / "ind.z")
    assert back.hash == induction.hash
    assert not back.stale
    assert back.concept_set is not None
    assert back.concept_set.vocabulary[:3] == ("a", "b", "c")
    assert _verdicts(back) == _verdicts(induction)
    logits = runtime(back).logits(make_repeating_sequences(20).images)
    np.testing.assert_allclose(
        logits, runtime(induction).logits(make_repeating_sequences(20).images), atol=1e-5
    )


def test_patched_heads_equal_hooks() -> None:
    net = load_shipped_induction_model("induction")
    tokens = torch.from_numpy(make_repeating_sequences(30, seed=4).images).long()
    down = HeadDownstream(net, tokens)
    source, donor = np.arange(10), np.arange(10, 20)
    target = np.arange(10) % 24
    with torch.no_grad():
        for units in ([1], [6], [0, 2, 5], list(range(8))):
            kept: dict[int, torch.Tensor] = {}

            def keep(layer: int, kept: dict[int, torch.Tensor] = kept) -> Any:
                return lambda _m, _a, out: kept.update({layer: out.clone()})

            hooks = [b.attn.hook_z.register_forward_hook(keep(i)) for i, b in enumerate(net.layers)]
            net(tokens[donor])
            for hook in hooks:
                hook.remove()

            def put(layer: int, units: list[int] = units, kept: Any = kept) -> Any:
                def write(_m: Any, _a: Any, out: torch.Tensor) -> torch.Tensor:
                    new = out.clone()
                    for unit in units:
                        if unit // 4 == layer:
                            new[:, :, unit % 4] = kept[layer][:, :, unit % 4]
                    return new

                return write

            hooks = [b.attn.hook_z.register_forward_hook(put(i)) for i, b in enumerate(net.layers)]
            logits = net(tokens[source])
            for hook in hooks:
                hook.remove()
            margin = logits - (logits.sum(1, keepdim=True) - logits) / 23
            plain = (margin - down.margins[source])[torch.arange(10), torch.from_numpy(target)]
            found = down.joint_margin_change(source, donor, target, units)
            np.testing.assert_allclose(found, plain.numpy(), atol=2e-5)
    each = down.margin_change_by_unit(source, donor, target)
    np.testing.assert_allclose(
        each[:, 6], down.joint_margin_change(source, donor, target, [6]), atol=1e-6
    )


def test_exemplars_are_pairs_the_head_looks_along(induction: AnnotatedModel) -> None:
    assert induction.measurements is not None
    known = induction.concept_set
    assert known is not None
    assert known.focus is not None
    layer = induction.measurements.layers["blocks.0.attn.hook_z"]
    query, key = known.focus[layer.exemplars[3]].T
    assert (key == query - 1).all()
    assert len(set(known.scene[layer.exemplars[3]].tolist())) == 9  # pyright: ignore[reportOptionalSubscript]
    # The map lights the token looked at.
    heat = layer.exemplar_heat[3, 0].reshape(-1)
    assert heat.argmax() == key[0]
    assert heat.max() == 255


def test_names_of_heads_name_no_body_part() -> None:
    known = Lexicon.load()
    names = {
        "previous token head": "previous token", "an induction head": "induction target",
        "duplicate token head": "earlier copy", "looks at a fixed distance back": "fixed distance",
    }  # fmt: skip
    assert {text: known.parse(text) for text in names} == {t: (c,) for t, c in names.items()}


def test_what_tokens_need_is_named(induction: AnnotatedModel) -> None:
    with pytest.raises(SearchError, match="token sequences"):
        search(induction)
    known = induction.concept_set
    assert known is not None
    run = runtime(induction)
    with pytest.raises(InputsError, match="which positions"):
        measure_responses_to_position_pairs(run, induction.layers, replace(known, focus=None))
    spec = replace(induction.layers[0], unit_axis=1)
    with pytest.raises(LayerError, match="token position"):
        measure_responses_to_position_pairs(run, [spec], known)
    with pytest.raises(LayerError, match="all heads"):
        measure(induction.with_(cut=("blocks.0.attn.hook_z",), measurements=None), known)
    with pytest.raises(LayerError, match="layers of a Linear"):
        wrap(torch.nn.Linear(3, 2), make_repeating_sequences(10))
    with pytest.raises(InputsError, match="class names"):
        wrap(
            load_shipped_induction_model("induction"),
            replace(make_repeating_sequences(10), classes=("a",), labels=None),
        )


def test_one_effect_of_heads_of_two_blocks(induction: AnnotatedModel) -> None:
    both = ["blocks.0.attn.hook_z:3", "blocks.1.attn.hook_z:0"]
    settings: dict[str, Any] = {"images": 72, "donors": 1}
    found = cz.effect(induction, both, "output:letter c", **settings)
    alone = [cz.effect(induction, unit, "letter c", **settings).estimate for unit in both]
    assert max(alone) < found.estimate < 1.2
    measured = induction.measurements
    assert measured is not None
    assert measured.effects is not None
    kept = measured.effects
    at = kept.units.index(both[1])
    rows = kept.split == 1
    values = kept.sufficiency[rows, at, kept.targets.index("letter c")]
    assert alone[1] == pytest.approx(float(np.nanmean(values)), abs=1e-5)
    with pytest.raises(UnitError, match="must be units"):
        cz.effect(induction, "blocks.0.attn.hook_z:3@pos7", "letter c")
