from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from circuitz.errors import InputsError, SearchError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.source_rows import existing_or_assigned_splits, rows_of_select_split
from circuitz.posterior.objective import PosteriorTerms, choose_z_star_index
from circuitz.z.model import AnnotatedModel
from circuitz.zstar import search as loop
from circuitz.zstar.edits.regions import Finder
from circuitz.zstar.saved_rounds import STATE
from circuitz.zstar.search import search
from circuitz.zstar.search_result import SearchResult
from circuitz.zstar.search_settings import SearchSettings

pytestmark = pytest.mark.slow
QUICK = SearchSettings(rounds=2, epochs=8, images=90)


def _groups(z: AnnotatedModel, shifted) -> np.ndarray:
    inputs, ground = shifted
    right = runtime(z).logits(inputs.images).argmax(1) == inputs.labels
    return np.array(
        [[right[(inputs.labels == k) & (ground == g)].mean() for g in range(3)] for k in range(3)]
    )


@pytest.fixture(scope="module")
def finders() -> dict[str, Finder]:
    """Regions, found once: of one concept set with one seed they are the same."""
    return {}


@pytest.fixture(scope="module")
def found(caught, finders) -> SearchResult:
    return search(caught, settings=QUICK, finders=finders)


def test_the_start_relies_on_snow_and_the_search_repairs_it(caught, found, shifted) -> None:
    before, after = _groups(caught, shifted), _groups(found.z, shifted)
    assert before[0, 1:].max() < 0.3
    assert after.min() > 0.8
    assert any(
        f.kind == "implausible-driver" and f.target == "output:husky" for f in _flags(caught)
    )
    assert not any(f.kind == "implausible-driver" for f in found.report.flagged)
    assert found.scores[found.best].posterior() > found.scores[0].posterior()


def _flags(z: AnnotatedModel):
    from circuitz.plausibility.check import check

    return check(z).flagged


def test_without_words_nothing_is_repaired(caught, shifted) -> None:
    blind = search(caught, settings=SearchSettings(1, 6, words=False, images=90))
    assert not blind.last.effective()
    # What nobody says a word about is told, and is nothing the search could act on.
    assert {f.kind for f in blind.report.flagged} <= {
        "no-annotations",
        "split-shortcut",
        "unannotated-driver",
        "unexplained-effect",
    }
    assert _groups(blind.last, shifted).min() < 0.3


def test_the_same_content_at_random_places_does_not_repair(caught, found, finders, shifted) -> None:
    control = search(
        caught, settings=SearchSettings(1, 8, region_mode="random", images=90), finders=finders
    )
    assert _groups(control.last, shifted).min() < _groups(found.z, shifted).min() - 0.3


def test_a_lexicon_that_calls_grounds_parts_leaves_snow_in(caught, shifted) -> None:
    placebo = Lexicon.load()
    for ground in ("snow", "grass", "sand"):
        placebo = placebo.with_override(ground, kind="part", part_of=["dog"], author="ada")
    kept = search(caught, settings=SearchSettings(1, 6, images=90), lexicon=placebo)
    assert _groups(kept.z, shifted)[0, 1:].min() < 0.5


def test_sets_of_different_sizes_are_refused(caught) -> None:
    small = replace(caught.concept_set, images=caught.concept_set.images[:, :20, :20], masks=None)
    with pytest.raises(InputsError, match="20, 20"):
        search(caught.with_(concept_set=small))


def test_data_without_a_split_is_trained_on_its_select_part_alone(caught) -> None:
    bare = replace(caught.data, split=None)
    rows = rows_of_select_split(bare)
    measured = existing_or_assigned_splits(bare, bare.labels)
    assert 0 < len(rows) < len(bare)
    assert (measured[rows] == 0).all()


def test_a_search_that_was_stopped_goes_on_to_the_same_end(caught, found, tmp_path) -> None:
    state = tmp_path / "out.search"

    full = SearchSettings(rounds=2, epochs=2, steps=1, images=90, seed=3)
    whole = search(caught, settings=full)
    # Two short rounds leave something flagged after the first, or there is nothing to resume.
    assert len(whole.scores) == 3
    stop_at = "round 2: train"

    def interrupt(what: str, done: int, total: int) -> None:
        if what.startswith(stop_at):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(caught, settings=full, checkpoint=state, progress=interrupt)
    trained: list[str] = []
    resumed = search(
        caught,
        settings=full,
        checkpoint=state,
        progress=lambda what, _d, _t: trained.append(what),
    )
    # Both rounds were trained twice: equal seeds find equal things.
    assert resumed.z.weights_hash == whole.z.weights_hash
    assert resumed.z.hash == whole.z.hash
    assert [s.posterior() for s in resumed.scores] == pytest.approx(
        [s.posterior() for s in whole.scores]
    )
    assert not any(what.startswith("round 1: train") for what in trained)


def test_a_state_of_another_search_is_refused(caught, tmp_path) -> None:
    state = tmp_path / "out.search"
    first = search(caught, settings=SearchSettings(1, 1, steps=1, images=90), checkpoint=state)
    assert first.z.notes["search"]["regions"]
    with pytest.raises(SearchError, match="other settings"):
        search(caught, settings=SearchSettings(1, 2, steps=1, images=90), checkpoint=state)
    other = replace(caught.data, images=255 - caught.data.images)
    with pytest.raises(SearchError, match="another z"):
        search(
            caught.with_(data=other),
            settings=SearchSettings(1, 1, steps=1, images=90),
            checkpoint=state,
        )
    again = search(caught, settings=SearchSettings(1, 1, steps=1, images=90), checkpoint=state)
    assert again.z.notes["search"]["regions"] == first.z.notes["search"]["regions"]
    (state / STATE).write_text("{", encoding="utf-8")
    with pytest.raises(SearchError, match="cannot be read"):
        search(caught, settings=SearchSettings(1, 1, steps=1, images=90), checkpoint=state)


def test_a_round_that_cannot_be_measured_loses_nothing(caught, finders, monkeypatch) -> None:
    def forget(net, *_args, **_how) -> float:
        for p in net.head.parameters():
            p.data.zero_()
        return 0.0

    monkeypatch.setattr(loop, "train_weight_step", forget)
    kept = search(caught, settings=SearchSettings(2, 1, steps=1, images=90), finders=finders)
    assert kept.z.weights_hash == caught.weights_hash
    assert "round 1" in kept.z.notes["search"]["abandoned"]


def test_a_z_that_has_forgotten_d_is_no_z_star(caught, finders, monkeypatch) -> None:
    def forget(net, *_args, **_how) -> float:
        # Random logits of the right size: nothing against them can be told, nothing for them.
        torch.manual_seed(0)
        for p in net.parameters():
            if p.ndim > 1:
                p.data = p.data[torch.randperm(len(p))]
        return 0.0

    monkeypatch.setattr(loop, "train_weight_step", forget)
    monkeypatch.setattr(loop, "compute_posterior_terms", _liked(loop.compute_posterior_terms))
    kept = search(caught, settings=SearchSettings(1, 1, steps=1, images=90), finders=finders)
    assert kept.z.weights_hash == caught.weights_hash
    assert "round 1" in kept.z.notes["search"]["abandoned"]


def test_a_step_that_goes_wrong_is_taken_again_more_gently(caught, finders, monkeypatch) -> None:
    rates: list[float] = []
    starts: list[torch.Tensor] = []

    def forget(
        net, _spec, _how, _data, _concepts, _todo, _editor, recipe, *_rest, **_how2
    ) -> float:
        rates.append(recipe.rate)
        starts.append(net.head.weight.detach().clone())
        net.head.weight.data = net.head.weight.data.roll(1, 0)
        net.head.bias.data = net.head.bias.data.roll(1, 0)
        return 0.0

    monkeypatch.setattr(loop, "train_weight_step", forget)
    search(caught, settings=SearchSettings(2, 1, rate=9e-3, steps=1, images=90), finders=finders)
    assert rates == pytest.approx([9e-3, 3e-3, 1e-3])
    assert torch.equal(starts[0], starts[1])


def _liked(score):
    """Return the score with a better posterior for every later z."""
    seen: list[object] = []

    def scored(*args):
        seen.append(args)
        return replace(score(*args), prior=-1.0 / len(seen), likelihood=0.0)

    return scored


def test_missing_data_is_named(caught) -> None:
    with pytest.raises(InputsError, match="needs D"):
        search(caught.with_(data=None, data_ref=None))


def test_lambda_is_stored_and_swept(found) -> None:
    notes = found.z.notes["search"]
    assert notes["settings"]["lam"] == 1.0
    assert len(notes["posterior"]) == len(found.scores)
    by_likelihood = int(np.argmax([s.likelihood for s in found.scores]))
    by_prior = int(np.argmax([s.prior for s in found.scores]))
    assert notes["sweep"]["0"] == by_likelihood
    assert notes["sweep"]["10"] in {by_prior, found.best}


def test_of_posteriors_that_are_as_good_the_one_trained_longest_is_chosen() -> None:
    def scored(prior: float) -> PosteriorTerms:
        return PosteriorTerms(prior=prior, likelihood=-100.0, n=1000, accuracy=0.5, flagged=0)

    scores = [scored(-3.0), scored(-1.000), scored(-1.015), scored(-1.5)]
    assert choose_z_star_index(scores, [1, 0, 0, 0], 1.0) == 2
    assert choose_z_star_index(scores, [0, 0, 2, 1], 1.0) == 1
    assert choose_z_star_index([scored(-1.0), scored(-1.03)], [0, 0], 1.0) == 0
    assert choose_z_star_index([scored(-1.0), scored(-9.0)], [0, 0], 0.0) == 1
