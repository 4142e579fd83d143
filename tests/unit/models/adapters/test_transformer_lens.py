"""Agreement with TransformerLens on models that are not ours, and of ours with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.effects.ablation.patch_heads import patch_heads
from circuitz.errors import InputsError, InterventionError, LayerError, NetworkError, UnitError
from circuitz.models.adapters.transformer_lens import Lens

pytest.importorskip("transformer_lens")
CONFIG = {
    "n_layers": 2, "n_heads": 4, "d_model": 16, "d_head": 4, "n_ctx": 9, "d_vocab": 11,
    "act_fn": "gelu", "seed": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def lens() -> Lens:
    return Lens.native(CONFIG)


@pytest.fixture(scope="module")
def prompts() -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return torch.randint(0, 11, (5, 9), generator=draw), torch.randint(
        0, 11, (5, 9), generator=draw
    )


def test_layers_are_read_in_the_shape_they_claim(
    lens: Lens, prompts: tuple[torch.Tensor, ...]
) -> None:
    names = [spec.name for spec in lens.layers]
    assert names[:3] == [
        "blocks.0.attn.hook_z",
        "blocks.0.mlp.hook_post",
        "blocks.0.hook_resid_post",
    ]
    found, logits = lens.read(prompts[0], names)
    assert logits.shape == (5, 9, 11)
    for spec in lens.layers:
        assert tuple(found[spec.name].shape[1:]) == spec.shape
        assert spec.shape[spec.unit_axis - 1] == spec.size


def test_writing_what_is_there_changes_nothing_and_something_else_does(
    lens: Lens, prompts: tuple[torch.Tensor, ...]
) -> None:
    tokens, other = prompts
    plain = lens.logits(tokens)
    for unit in (
        "blocks.0.attn.hook_z:3@pos7",
        "blocks.1.mlp.hook_post:5",
        "blocks.0.hook_resid_post:2",
    ):
        assert torch.equal(lens.write(tokens, {unit: lens.values(tokens, unit)}), plain)
        changed = lens.write(tokens, {unit: lens.values(other, unit)})
        assert not torch.allclose(changed, plain, atol=1e-6)
    before = lens.write(tokens, {"blocks.0.attn.hook_z:3@pos7": 1.0})
    assert torch.equal(before[:, :7], plain[:, :7])
    assert torch.equal(lens.logits(tokens), plain)  # no hook is left


def test_what_cannot_be_written_is_named_and_leaves_no_hook(
    lens: Lens, prompts: tuple[torch.Tensor, ...]
) -> None:
    tokens = prompts[0]
    plain = lens.logits(tokens)
    with pytest.raises(UnitError, match="no unit"):
        lens.write(tokens, {"blocks.0.attn.hook_z:4": 0.0})
    with pytest.raises(UnitError, match="positions 0 to 8"):
        lens.values(tokens, "blocks.0.attn.hook_z:0@pos9")
    with pytest.raises(InterventionError, match="outside"):
        lens.write(tokens[:, :4], {"blocks.0.attn.hook_z:0@pos5": 0.0})
    with pytest.raises(InterventionError, match="does not fit"):
        lens.write(tokens, {"blocks.0.attn.hook_z:0": torch.zeros(3, 3)})
    with pytest.raises(LayerError, match="no hook"):
        lens.read(tokens, ["blocks.0.attn.hook_zz"])
    with pytest.raises(NetworkError):
        Lens(torch.nn.Linear(1, 1))
    assert torch.equal(lens.logits(tokens), plain)


@pytest.mark.parametrize(
    "change",
    [{}, {"attn_only": True, "normalization_type": None}, {"act_fn": "gelu_new", "d_mlp": 24}],
)
def test_the_plain_copy_gives_the_same_logits(
    change: dict[str, object], prompts: tuple[torch.Tensor, ...]
) -> None:
    lens = Lens.native(CONFIG | change)
    with torch.no_grad():
        assert torch.allclose(
            lens.to_small_transformer().logits_everywhere(prompts[0]),
            lens.logits(prompts[0]),
            atol=1e-5,
        )


def test_what_a_plain_copy_lacks_is_refused() -> None:
    for change in ({"positional_embedding_type": "rotary"}, {"normalization_type": "RMS"}):
        with pytest.raises(NetworkError, match="No plain copy"):
            Lens.native(CONFIG | change).to_small_transformer()


def test_the_shipped_model_runs_in_transformerlens() -> None:
    net = load_shipped_induction_model("induction")
    tokens = torch.randint(0, 24, (6, 32), generator=torch.Generator().manual_seed(3))
    lens = Lens.from_small_transformer(net)
    with torch.no_grad():
        assert torch.allclose(lens.logits(tokens), net.logits_everywhere(tokens), atol=1e-4)
    back = lens.to_small_transformer().state_dict()
    assert all(torch.allclose(value, back[name]) for name, value in net.state_dict().items())


def test_all_heads_and_positions_patch_as_transformerlens_does(
    lens: Lens, prompts: tuple[torch.Tensor, ...]
) -> None:
    from transformer_lens.patching import get_act_patch_attn_head_out_by_pos

    tokens, other = prompts

    def metric(logits: torch.Tensor) -> torch.Tensor:
        return logits[:, -1, 3] - logits[:, -1, 5]

    with torch.no_grad():
        _, cache = lens.bridge.run_with_cache(other)
        theirs = get_act_patch_attn_head_out_by_pos(
            lens.bridge, tokens, cache, lambda logits: metric(logits).mean()
        )
    ours = patch_heads(lens.to_small_transformer(), tokens, other, metric)
    assert torch.allclose(torch.from_numpy(ours.values.mean(-1)), theirs, atol=1e-4)
    assert ours.effect.std() > 1e-4


def test_a_hugging_face_folder_opens_offline(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=50,
        n_positions=16,
        n_embd=16,
        n_layer=2,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config).eval()
    model.save_pretrained(tmp_path)
    lens = Lens.from_folder(tmp_path)
    tokens = torch.randint(0, 50, (3, 7))
    with torch.no_grad():
        theirs = model(tokens).logits
        assert torch.allclose(lens.logits(tokens), theirs, atol=1e-4)
        assert torch.allclose(
            lens.to_small_transformer().logits_everywhere(tokens), theirs, atol=1e-4
        )
    with pytest.raises(NetworkError, match=r"config\.json"):
        Lens.from_folder(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (torch.full((1, 4), 11), "0 to 10"),
        (torch.full((1, 4), -1), "0 to 10"),
        (torch.zeros((1, 40), dtype=torch.long), "reads 9"),
        (torch.zeros((1, 4)), "float32"),
        (torch.zeros(4, dtype=torch.long), "shape"),
        (torch.zeros((0, 4), dtype=torch.long), "shape"),
    ],
)
def test_tokens_the_model_cannot_read_are_named(
    lens: Lens, tokens: torch.Tensor, said: str
) -> None:
    for ask in (
        lambda: lens.logits(tokens),
        lambda: lens.read(tokens, ["blocks.0.attn.hook_z"]),
        lambda: lens.values(tokens, "blocks.0.attn.hook_z:1"),
        lambda: lens.write(tokens, {"blocks.0.attn.hook_z:1@pos2": 0.0}),
    ):
        with pytest.raises(InputsError, match=said):
            ask()


def test_a_value_that_is_no_number_is_not_written(
    lens: Lens, prompts: tuple[torch.Tensor, ...]
) -> None:
    before = lens.logits(prompts[0])
    with pytest.raises(InterventionError, match="NaN"):
        lens.write(prompts[0], {"blocks.0.mlp.hook_post:1": float("nan")})
    assert torch.equal(lens.logits(prompts[0]), before)
