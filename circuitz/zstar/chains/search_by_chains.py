"""The search by the posterior people made: proposals accepted or rejected by J."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from circuitz.errors import CircuitzError, SearchError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
from circuitz.store.asking import Ask
from circuitz.z.bundle.inputs_io import input_set_fingerprint
from circuitz.z.kinds_said import lexicon_in_force
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.chains.annealed_chain import AnnealedChain, ChainPlan, KernelShare
from circuitz.zstar.chains.chain_folder import ChainFolder
from circuitz.zstar.chains.chain_result import ChainSearchResult
from circuitz.zstar.chains.chain_settings import ChainSettings
from circuitz.zstar.chains.end_by_rounds import EndOfSearch, end_by_rounds
from circuitz.zstar.chains.joint_objective import JointObjective
from circuitz.zstar.chains.searched_networks import SearchedNetworks
from circuitz.zstar.chains.z_state import ZState
from circuitz.zstar.edits.edit_maker import EditMaker
from circuitz.zstar.kernels.add_word import AddWord
from circuitz.zstar.kernels.drop_word import DropWord
from circuitz.zstar.kernels.edit_pixels import EditPixels
from circuitz.zstar.kernels.kernel import Kernel
from circuitz.zstar.kernels.merge_words import MergeWords
from circuitz.zstar.kernels.network_trainer import NetworkTrainer
from circuitz.zstar.kernels.silence_unit import SilenceUnit, UnsilenceUnit
from circuitz.zstar.kernels.split_word import SplitWord
from circuitz.zstar.kernels.swap_word import SwapWord
from circuitz.zstar.kernels.train_weights import TrainWeights
from circuitz.zstar.kernels.word_source import MatchedWords, RandomWords, WordSource
from circuitz.zstar.kernels.word_targets import WordTargets
from circuitz.zstar.search_inputs import require_searchable

Progress = Callable[[str, int, int], None]
# Reference z's that η is fixed on are of every kind that the search compares: by group of kernels how
# many, and how many changes each is away from the start.
_REFERENCES = (("words", 6, 3), ("silences", 2, 1), ("weights", 1, 1), ("pixels", 1, 1))

_UNJUDGED = "J was maximised, and no fresh judgement has confirmed it: it overstates."
_REMARKS = {
    "not judged": _UNJUDGED,
    "waiting": _UNJUDGED + " {n} questions of a round wait for answers: search again with them.",
    "chosen": "z* was chosen by fresh judgements, and others put it above the start.",
    "start kept": "No z is above the start beyond doubt: it is kept.",
    "abstained": "Fresh comparisons were foretold no better than by chance: the start is kept.",
}


def search_by_chains(
    z: AnnotatedModel,
    *,
    prior: FittedPrior,
    likelihood: FittedLikelihood | None = None,
    settings: ChainSettings | None = None,
    lexicon: Lexicon | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    ask: Ask | None = None,
) -> ChainSearchResult:
    """Search from a z for the one of the highest J.

    Parameters
    ----------
    z
        Start: measured or not, with D (labels) and a concept set at hand, a cut of one layer.
    prior, likelihood
        Fitted models; without M_L, J is λ s alone, which is said.
    settings
        See :class:`ChainSettings`.
    lexicon
        Names concepts; the shipped one by default. Kinds are not read.
    folder
        Where proposals and the best z are kept, so that a search that was stopped goes on.
    progress
        Called with what is being done and J so far, steps done and steps in all.
    ask
        Whoever answers the rounds at the end (:mod:`.end_by_rounds`); without, the z of the highest
        J is *not judged*.

    Raises
    ------
    InputsError
        If D, its labels or the concept set are missing.
    SearchError
        If z has no cut of one layer, the folder belongs to another search, or rounds are asked for
        without M_L, which foretells half of their answers.
    """
    if ask is not None and (likelihood is None or len(likelihood.members) < 2):
        raise SearchError(
            "Rounds of judgements need M_L with two members or more.",
            "Give likelihood=cz.fit_likelihood(…) too, or no ask=.",
        )
    search = _ChainSearch(z, prior, likelihood, settings or ChainSettings(), lexicon, progress)
    search.ask = ask
    return search.run(None if folder is None else ChainFolder(folder, search.key()))


class _ChainSearch:
    """One search: networks, J, and the chain."""

    def __init__(
        self,
        start: AnnotatedModel,
        prior: FittedPrior,
        likelihood: FittedLikelihood | None,
        settings: ChainSettings,
        lexicon: Lexicon | None,
        progress: Progress | None,
    ) -> None:
        _require_one_cut(start)
        self.start, self.prior, self.likelihood = start, prior, likelihood
        self.settings, self.lexicon = settings, lexicon_in_force(start, lexicon)
        self.ask: Ask | None = None
        self.report_progress = progress or (lambda _what, _done, _total: None)

    def key(self) -> dict[str, Any]:
        """Return what the search is made from; how long it may take is no part of it."""
        assert self.start.data is not None
        assert self.start.concept_set is not None
        return {
            "start": self.start.hash,
            "inputs": [
                input_set_fingerprint(self.start.data),
                input_set_fingerprint(self.start.concept_set),
            ],
            "prior": self.prior.hash,
            "likelihood": "" if self.likelihood is None else self.likelihood.hash,
            "settings": replace(self.settings, minutes=None).to_json(),
            "lexicon": self.lexicon.hash,
        }

    def run(self, folder: ChainFolder | None) -> ChainSearchResult:
        """Go on until all proposals are made, or time is over."""
        end = np.inf if self.settings.minutes is None else time.monotonic() + 60 * self.settings.minutes  # fmt: skip
        how = self.settings
        self.networks = SearchedNetworks(
            self.start, self.lexicon, inputs=how.inputs, images=how.images, seed=how.seed,
            progress=self.report_progress, folder=None if folder is None else folder.networks,
        )  # fmt: skip
        self.networks.network_of(ZState())
        first = self.networks.state_of("start")
        objective = JointObjective(self.networks, self.prior, self.likelihood, lam=how.lam)
        kernels = [*self.kernels(), *self.trainings(objective)]
        if not kernels:
            raise SearchError(
                "Nothing may be changed: no words, silences or trainings.", "Allow one of them."
            )
        self._fix_eta(objective, first, kernels, folder)
        records = [] if folder is None else folder.records()
        due = (("weights", how.weights), ("pixels", how.pixels), ("silences", how.silences))
        plan = ChainPlan(how.proposals, due, how.heat, how.seed)
        chain = AnnealedChain(
            first, objective.score, kernels, plan, records=records,
            on_record=folder.append if folder is not None else None,
        )  # fmt: skip
        for scored in chain.scored.values():
            objective.remember(scored)
        try:
            self._go_on(chain, folder, end)
        finally:
            if folder is not None:
                folder.write_best()
        return self._result(chain, objective)

    def _go_on(self, chain: AnnealedChain, folder: ChainFolder | None, end: float) -> None:
        best = None if chain.records[1:] else chain.start
        while not chain.is_done and time.monotonic() < end:
            if folder is not None and best is not chain.best:
                best = chain.best
                folder.offer_best(lambda state=best.state: self._realised(state))
            self._report(chain)
            chain.step()
        if folder is not None:
            folder.offer_best(lambda: self._realised(chain.best.state))
        self._report(chain)

    def _report(self, chain: AnnealedChain) -> None:
        best = chain.best
        what = (
            f"search: J {best.j - chain.start.j:+.2f} on the start's "
            f"(prior {best.prior - chain.start.prior:+.2f}, "
            f"likelihood {best.likelihood - chain.start.likelihood:+.2f})"
        )
        self.report_progress(what, len(chain.records) - 1, self.settings.proposals)

    def _realised(self, state: ZState) -> AnnotatedModel:
        return self.networks.realise(state)

    def kernels(self) -> list[KernelShare]:
        """Return what proposes; words on what people wrote are left alone."""
        networks, how = self.networks, self.settings
        targets = WordTargets(
            lambda state: networks.network_of(state).drives, networks.people_wrote()
        )
        found: list[KernelShare] = []
        matches = networks.network_of(ZState()).matches
        words = sorted({word for some in matches.values() for word in some})
        if how.words and words:
            sources: list[WordSource] = [
                MatchedWords(lambda state, unit: networks.network_of(state).matches.get(unit, {})),
                RandomWords(words),
            ]
            found.append(KernelShare(DropWord(targets), 1.5))
            for source in sources:
                found += [
                    KernelShare(AddWord(targets, source)),
                    KernelShare(SwapWord(targets, source)),
                    KernelShare(SplitWord(targets, source), 0.5),
                    KernelShare(MergeWords(targets, source), 0.5),
                ]
        if how.silences:
            found.append(KernelShare(SilenceUnit(targets), 2.0, "silences"))
            found.append(KernelShare(UnsilenceUnit(), 1.0, "silences"))
        return found

    def trainings(self, objective: JointObjective) -> list[KernelShare]:
        """Return what proposes trained networks."""
        how = self.settings
        edits = EditMaker({}, self.lexicon, source=None, region_mode="found", seed=how.seed)
        trainer = NetworkTrainer(self.networks, edits, how.steps, how.rate, how.flip)
        found: list[KernelShare] = []
        if how.weights:
            kernel = TrainWeights(trainer, self.prior, objective.card_of)
            found.append(KernelShare(kernel, 1.0, "weights"))
        if how.pixels:
            edit = EditPixels(trainer, self.prior, objective.card_of)
            found.append(KernelShare(edit, 1.0, "pixels"))
        return found

    def _fix_eta(
        self,
        objective: JointObjective,
        first: ZState,
        kernels: list[KernelShare],
        folder: ChainFolder | None,
    ) -> None:
        """Set η: as asked for, as it was before a stop, or from reference z's."""
        eta = self.settings.eta
        if eta is None and folder is not None:
            eta = folder.eta
        if self.likelihood is None:
            return
        if eta is not None:
            objective.eta = eta
            return
        references = [first, ZState(first.network)] if first.words else [first]
        for group, count, changes in _REFERENCES:
            some = [one.kernel for one in kernels if one.group == group]
            for i in range(count if some else 0):
                rng = np.random.default_rng([self.settings.seed, 12, len(references), i])
                references += self._reference(first, some, changes, rng)
        unique = list({state.key: state for state in references}.values())
        objective.fix_eta(unique)
        if folder is not None:
            folder.keep_eta(objective.eta)

    def _reference(
        self, first: ZState, kernels: list[Kernel], changes: int, rng: np.random.Generator
    ) -> list[ZState]:
        """Return a z some changes away, as read in each way; none where the change fails."""
        state, found = first, [first]
        for _ in range(changes):
            try:
                proposal = kernels[int(rng.integers(len(kernels)))].propose(state, rng)
            except CircuitzError:
                return []
            if proposal is not None:
                state, found = proposal.state, [proposal.state, *proposal.readings]
        return found

    def _result(self, chain: AnnealedChain, objective: JointObjective) -> ChainSearchResult:
        end = EndOfSearch("not judged", chain.best)
        if self.ask is not None and chain.is_done:
            self.report_progress("rounds of judgements", 0, 1)
            scored = chain.scored.values()
            end = end_by_rounds(objective, chain.start, scored, self.ask)
        z = self._realised(end.best.state)
        report = check(z, split="test", lexicon=self.lexicon, untrained=True)
        remarks = [_REMARKS[end.state].format(n=len(end.questions))]
        if self.likelihood is None:
            remarks.append("J without M_L: no likelihood was given.")
        if not chain.is_done:
            remarks.append(f"Time was over after {len(chain.records) - 1} proposals.")
        result = ChainSearchResult(
            z=z,
            report=report,
            state=end.state,
            start=chain.start,
            best=end.best,
            records=tuple(chain.records),
            lam=objective.lam,
            eta=objective.eta,
            is_complete=chain.is_done,
            remarks=tuple(remarks),
            fresh_gain=None if end.choice is None else end.choice.gain,
            judgements=0 if end.choice is None else end.choice.judgements,
            questions=end.questions,
        )
        notes = {
            **z.notes,
            "chain_search": {**result.to_json(), "settings": self.settings.to_json()},
        }
        made = z.with_(notes=notes, findings=report.findings)
        return replace(result, z=made)


def _require_one_cut(z: AnnotatedModel) -> None:
    require_searchable(z)
    if len(z.cut) != 1:
        raise SearchError(
            f"The cut has {len(z.cut)} layers.", "Wrap the network with a cut of one layer."
        )
