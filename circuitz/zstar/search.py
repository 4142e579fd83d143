"""The search for z*: train, measure, annotate, check, and again.

Plain removal of a shortcut followed by retraining learns it again, so nothing is taken on trust:
after every weight step the z is measured, annotated and checked anew, on *test*, and the best z by
posterior is kept, of those with the fewest flagged drivers. What the search reads is D and the
concept set, and nothing else.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from circuitz.deprecation import renamed_keywords
from circuitz.errors import CircuitzError, MeasurementError, SearchError, WeightsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.measure import measure
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.zoo.training import Recipe
from circuitz.patching.source_rows import rows_of_select_split
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose, withdraw
from circuitz.plausibility.report import Report
from circuitz.plausibility.rules.outside_claims import KINDS as OUTSIDE_KINDS
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.objective import (
    PosteriorTerms,
    choose_z_star_index,
    chosen_index_by_lambda,
    compute_posterior_terms,
)
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.store.asking import Ask
from circuitz.z.bundle.inputs_io import input_set_fingerprint
from circuitz.z.kinds_said import lexicon_in_force
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.chain_result import ChainSearchResult
from circuitz.zstar.chains.chain_settings import ChainSettings
from circuitz.zstar.chains.search_by_chains import search_by_chains
from circuitz.zstar.edits.edit_maker import EditMaker
from circuitz.zstar.edits.regions import Finder
from circuitz.zstar.saved_rounds import SearchRounds, load_search_rounds, save_search_rounds
from circuitz.zstar.search_inputs import require_editable_pictures, require_models_fit_settings
from circuitz.zstar.search_result import SearchResult
from circuitz.zstar.search_settings import SearchSettings
from circuitz.zstar.weight_plan import WeightStepPlan, plan_weight_step
from circuitz.zstar.weight_step import train_weight_step

Progress = Callable[[str, int, int], None]
# Share of what the network knew of D, above chance, that a z* must still know.
_RETAINED_SHARE = 0.5
# Weight steps at most in a round, each at a third of the learning rate of the one before.
_ATTEMPTS = 3


@overload
def search(
    z: AnnotatedModel,
    *,
    settings: SearchSettings | None = None,
    lexicon: Lexicon | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    finders: dict[str, Finder] | None = None, progress: Progress | None = None,
) -> SearchResult: ...  # fmt: skip


@overload
def search(
    z: AnnotatedModel,
    *,
    prior: FittedPrior, likelihood: FittedLikelihood | None = None,
    settings: ChainSettings | None = None,
    lexicon: Lexicon | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress | None = None, ask: Ask | None = None,
) -> ChainSearchResult: ...  # fmt: skip


@outside_inference_mode
@renamed_keywords(state="checkpoint")
def search(
    z: AnnotatedModel,
    *,
    prior: FittedPrior | None = None,
    likelihood: FittedLikelihood | None = None,
    settings: SearchSettings | ChainSettings | None = None,
    lexicon: Lexicon | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    finders: dict[str, Finder] | None = None,
    progress: Progress | None = None,
    ask: Ask | None = None,
) -> SearchResult | ChainSearchResult:
    """Search from a z for one that explains D and is plausible.

    With a fitted M_prior (and M_L) a chain of proposals is accepted or rejected by J
    (:mod:`circuitz.zstar.chains.search_by_chains`); without, weight steps take away what a check
    flags, and the formulae of version 0 choose.

    Parameters
    ----------
    z
        Start: a savable z with D (labels, splits) and a concept set at hand.
    prior, likelihood
        What :func:`circuitz.fit_prior` and :func:`circuitz.fit_likelihood` learned from people.
    settings
        See :class:`SearchSettings`; with fitted models :class:`ChainSettings`.
    lexicon
        Prior knowledge of kinds; the shipped one by default.
    checkpoint
        Folder in which every finished round is kept, so that a search that was stopped goes on
        where it was; the folder is left for the caller to remove.
    finders
        Regions by concept, found before on the same concept set with the same seed and lexicon;
        what is found anew is added.
    progress
        Called with what is being done, steps done and steps in all.
    ask
        With fitted models, whoever answers the rounds of fresh judgements at the end.

    Returns
    -------
    SearchResult, or ChainSearchResult with fitted models
        The start itself when nothing better was found.

    Raises
    ------
    InputsError
        If D or its labels, or the concept set, is missing.
    SearchError
        If the state is of another start or other settings, or settings do not fit the models.
    """
    require_models_fit_settings(prior, likelihood, settings)
    if prior is not None:
        assert not isinstance(settings, SearchSettings)
        return search_by_chains(
            z, prior=prior, likelihood=likelihood, settings=settings, lexicon=lexicon,
            folder=None if checkpoint is None else Path(checkpoint), progress=progress, ask=ask,
        )  # fmt: skip
    assert not isinstance(settings, ChainSettings)
    if ask is not None:
        raise SearchError(
            "Only a search by fitted models ends with rounds of judgements.", "Give prior= too."
        )
    how = settings or SearchSettings()
    known = lexicon_in_force(z, lexicon)
    require_editable_pictures(z)
    if not how.words:
        z = z.with_(log=())
    place = None if checkpoint is None else Path(checkpoint)
    job = _SearchRun(z, how, known, progress, place, {} if finders is None else finders)
    return job.run_rounds()


class _SearchRun:
    """One search: the z's visited so far and how to go on."""

    def __init__(
        self,
        start: AnnotatedModel,
        settings: SearchSettings,
        lexicon: Lexicon,
        progress: Progress | None,
        checkpoint: Path | None,
        finders: dict[str, Finder],
    ) -> None:
        self.start, self.settings, self.lexicon = start, settings, lexicon
        self.checkpoint = checkpoint
        self.report_progress = progress or (lambda _what, _done, _total: None)
        self.visited: list[tuple[AnnotatedModel, Report, PosteriorTerms]] = []
        self.edited: tuple[str, ...] = ()
        # How regions were found in rounds that were taken up, which need not be found again.
        self.resumed_regions: dict[str, Any] = {}
        self.edits = EditMaker(
            finders,
            lexicon,
            source=settings.regions,
            region_mode=settings.region_mode,
            seed=settings.seed,
        )
        self.abandoned = ""

    def run_rounds(self) -> SearchResult:
        self._resume_from_checkpoint()
        if not self.visited:
            self.visited.append(self._measure_check_and_score(self.start, 0))
        for number in range(len(self.visited), self.settings.rounds + 1):
            if not self._is_round_worthwhile(
                self.visited[-1][1], number
            ) or not self._try_round_with_gentler_retries(number):
                break
            self._save_checkpoint()
        return self._choose_best_and_make_result()

    def _try_round_with_gentler_retries(self, number: int) -> bool:
        """Take a weight step; one that goes wrong is taken again, more gently."""
        z, report, _ = self.visited[-1]
        for attempt in range(_ATTEMPTS):
            try:
                made = self._measure_check_and_score(
                    self._take_weight_step(z, report, number, attempt), number
                )
            except CircuitzError as problem:
                # Training may go where nothing can be told any more. What is wrong with the inputs
                # themselves shows in the first round, and is told.
                if number == 1 and not isinstance(problem, MeasurementError | WeightsError):
                    raise
                self.abandoned = f"round {number}: {problem.message}"
                continue
            if self._still_knows_data(made[2]):
                self.visited.append(made)
                self.abandoned = ""
                return True
            self.abandoned = f"round {number}: the network forgot D."
        return False

    def _is_round_worthwhile(self, report: Report, number: int) -> bool:
        # Without words nothing is ever flagged; the control trains its budget all the same.
        return not self.settings.words or number == 1 or bool(report.flagged)

    def _measure_check_and_score(
        self, z: AnnotatedModel, number: int
    ) -> tuple[AnnotatedModel, Report, PosteriorTerms]:
        """Measure, annotate, measure the sets of annotated units, check and score."""
        what = f"round {number}: measure" if number else "measure"
        z = self._measure_z(z, what)
        if self.settings.words:
            z = self._measure_z(propose(z, lexicon=self.lexicon), what)
        # What is searched from must be no network that knows nothing; a step may make one, which
        # scores accordingly.
        report = check(z, split="test", lexicon=self.lexicon, untrained=number > 0)
        # Proposed words that do not hold on *test* are no part of z; the start is as it was given.
        kept = withdraw(z, report.findings) if self.settings.words and number else z
        if kept is not z:
            z = self._measure_z(kept, what)
            report = check(z, split="test", lexicon=self.lexicon, untrained=True)
        assert z.data is not None
        return z, report, compute_posterior_terms(z, report, z.data)

    def _measure_z(self, z: AnnotatedModel, what: str) -> AnnotatedModel:
        return measure(
            z,
            seed=self.settings.seed,
            images=self.settings.images,
            lexicon=self.lexicon,
            progress=lambda done, total: self.report_progress(what, done, total),
        )

    def _take_weight_step(
        self, z: AnnotatedModel, report: Report, number: int, attempt: int
    ) -> AnnotatedModel:
        todo = (
            plan_weight_step(z, report, self.lexicon, self.edited)
            if self.settings.words
            else WeightStepPlan()
        )
        self.edited = todo.edit
        editor = self.edits.make(
            z,
            todo.edit,
            lambda done, total: self.report_progress(f"round {number}: find regions", done, total),
        )
        assert z.data is not None
        assert z.concept_set is not None
        trained = copy.deepcopy(runtime(z).module)
        spec = next(s for s in z.layers if s.name == z.cut[0])
        recipe = Recipe(
            rate=self.settings.rate / 3**attempt,
            flip=self.settings.flip,
            seed=self.settings.seed * 1000 + number,
        )
        an_epoch = max(1, len(rows_of_select_split(z.data)) // recipe.batch)
        epochs = max(self.settings.epochs, math.ceil(self.settings.steps / an_epoch))
        recipe = replace(recipe, epochs=epochs)
        train_weight_step(
            trained,
            spec,
            z.preprocessing,
            z.data,
            z.concept_set,
            todo,
            editor,
            recipe,
            lambda done, total: self.report_progress(f"round {number}: train", done, total),
            head=z.head,
        )
        live = trained if z.live is not None else None
        return z.with_(what=f"weight step {number}", weights=weights_to_numpy(trained), live=live)

    def _choose_best_and_make_result(self) -> SearchResult:
        scores = [s for _, _, s in self.visited]
        drivers = [
            sum(f.kind in OUTSIDE_KINDS for f in report.flagged) for _, report, _ in self.visited
        ]
        best = choose_z_star_index(scores, drivers, self.settings.lam)
        z, report, _ = self.visited[best]
        notes = {
            **z.notes,
            "search": {
                "settings": self.settings.to_json(),
                "start": self.start.hash,
                "scores": [s.to_json() for s in scores],
                "posterior": [s.posterior(self.settings.lam) for s in scores],
                "best": best,
                "sweep": chosen_index_by_lambda(scores),
                "edited": list(self.edited),
                "abandoned": self.abandoned,
                "regions": self._region_records_by_concept(),
                **self.edits.to_json(),
            },
        }
        return SearchResult(
            z.with_(notes=notes, findings=report.findings),
            report,
            tuple(scores),
            best,
            self.visited[-1][0],
        )

    def _still_knows_data(self, score: PosteriorTerms) -> bool:
        """Return whether a z still knows enough of D; one that does not explains nothing."""
        chance = 1 / len(self.start.classes)
        knew = self.visited[0][2].network
        return score.network - chance >= _RETAINED_SHARE * max(knew - chance, 0.0)

    def _region_records_by_concept(self) -> dict[str, Any]:
        found = self.resumed_regions | {
            name: _region_finder_record(finder) for name, finder in self.edits.finders.items()
        }
        return {name: made for name, made in found.items() if name in self.edited}

    # -- going on after a stop ------------------------------------------------------------

    def _checkpoint_key(self) -> dict[str, Any]:
        settings = replace(self.settings, rounds=0).to_json()
        assert self.start.data is not None
        assert self.start.concept_set is not None
        # The start's hash tells network and words, not what they are searched with.
        inputs = [
            input_set_fingerprint(self.start.data),
            input_set_fingerprint(self.start.concept_set),
        ]
        return {
            "start": self.start.hash,
            "inputs": inputs,
            "settings": settings,
            "lexicon": self.lexicon.hash,
        }

    def _save_checkpoint(self) -> None:
        if self.checkpoint is not None:
            zs = [z for z, _, _ in self.visited]
            save_search_rounds(
                self.checkpoint,
                self._checkpoint_key(),
                SearchRounds(zs, self.edited, self._region_records_by_concept()),
            )

    def _resume_from_checkpoint(self) -> None:
        """Take up finished rounds; each is judged anew."""
        done = (
            load_search_rounds(self.checkpoint, self._checkpoint_key())
            if self.checkpoint is not None
            else None
        )
        if done is None:
            return
        self.resumed_regions = done.regions
        for i, kept in enumerate(done.visited):
            z = kept.with_(data=self.start.data, concept_set=self.start.concept_set)
            self.visited.append(self._measure_check_and_score(z, i))
        self.edited = done.edited


def _region_finder_record(finder: Finder) -> dict[str, Any]:
    """Return how a region was found, and how well the concept is told without it."""
    told = {"told_before": finder.told_before, "told_after": finder.told_after}
    return {
        "source": finder.source,
        **{k: round(v, 3) if math.isfinite(v) else None for k, v in told.items()},
    }
