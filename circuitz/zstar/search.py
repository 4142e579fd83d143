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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from circuitz.errors import CircuitzError, InputsError, MeasurementError, SearchError, WeightsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.measure import measure
from circuitz.models.adapters.weight_arrays import to_numpy
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.training import Recipe
from circuitz.patching.source_rows import training_rows
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose, withdraw
from circuitz.plausibility.report import Report
from circuitz.plausibility.rules.outside_claims import KINDS as OUTSIDE_KINDS
from circuitz.posterior.objective import LAMBDA, Score, chosen, score, sweep
from circuitz.z.bundle.inputs_io import fingerprint
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.edits.pixel_edits import Editor, Where, make_editor
from circuitz.zstar.edits.regions import Finder, Source, find_regions
from circuitz.zstar.saved_rounds import Rounds, keep, take_up
from circuitz.zstar.weight_plan import Plan, plan
from circuitz.zstar.weight_step import weight_step

Progress = Callable[[str, int, int], None]
# Share of what the network knew of D, above chance, that a z* must still know.
_KEPT = 0.5
# Weight steps at most in a round, each at a third of the learning rate of the one before.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Settings:
    """How to search.

    Parameters
    ----------
    rounds
        Most weight steps.
    epochs, rate
        Passes over D in one weight step, and the largest learning rate; a third of it when a step
        went wrong.
    flip
        Whether training mirrors half of the images; not where left and right mean something.
    steps
        Fewest steps of a weight step: a small D is passed over more often.
    lam
        λ, in prior units an input of D (see :mod:`circuitz.posterior.objective`).
    seed
        Of everything random.
    regions
        What regions are learned from; ``None``: the most exact there is.
    where
        ``random``: the control with regions at random places.
    words
        ``False``: the control without annotations. They are removed from the start and none are
        proposed, so nothing can be flagged and the steps train on D as it is.
    sources
        Source images a split when effects are measured.
    """

    rounds: int = 3
    epochs: int = 8
    rate: float = 5e-3
    flip: bool = True
    steps: int = 200
    lam: float = LAMBDA
    seed: int = 0
    regions: Source | None = None
    where: Where = "found"
    words: bool = True
    sources: int = 240


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found.

    Parameters
    ----------
    z
        The best z by posterior, of those with the fewest implausible drivers flagged; of several
        that are as good but for noise, the last.
    report
        Its check on *test*.
    scores
        One for every z visited, the start first.
    best
        Index of ``z`` among them.
    last
        The z visited last, which a control is judged by.
    """

    z: AnnotatedModel
    report: Report
    scores: tuple[Score, ...]
    best: int
    last: AnnotatedModel


def search(
    z: AnnotatedModel,
    *,
    settings: Settings | None = None,
    lexicon: Lexicon | None = None,
    state: str | os.PathLike[str] | None = None,
    finders: dict[str, Finder] | None = None,
    progress: Progress | None = None,
) -> Found:
    """Search from a z for one that explains D and is plausible.

    Parameters
    ----------
    z
        Start: a savable z with D (labels, splits) and a concept set at hand.
    settings
        See :class:`Settings`.
    lexicon
        Prior knowledge of kinds; the shipped one by default.
    state
        Folder in which every finished round is kept, so that a search that was stopped goes on
        where it was; the folder is left for the caller to remove.
    finders
        Regions by concept, found before on the same concept set with the same seed and lexicon;
        what is found anew is added.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    Found
        The start itself when nothing better was found.

    Raises
    ------
    InputsError
        If D or its labels, or the concept set, is missing.
    SearchError
        If the state belongs to another start or other settings.
    """
    how = settings or Settings()
    known = lexicon or Lexicon.load()
    if z.data is None or z.data.labels is None or z.concept_set is None:
        raise InputsError(
            "The search needs D with labels, and a concept set.",
            "Give them to wrap and measure, or pass --data.",
        )
    if z.data.is_tokens:
        raise SearchError(
            "The search edits pictures; this network reads token sequences.",
            "Train it on sequences in which the shortcut fails, wrap and check it again.",
        )
    if z.head == "multi-label" or z.data.labels.ndim != 1:
        raise SearchError(
            "The search weighs labels of one class an image; here images may show several.",
            "Search a network for each class by itself: a binary head, with or without it.",
        )
    if z.data.images.shape[1:] != z.concept_set.images.shape[1:]:
        raise InputsError(
            f"Images of D are {z.data.images.shape[1:]}, those of the concept set "
            f"{z.concept_set.images.shape[1:]}: one cannot lend to the other.",
            "Bring both to one size and number of channels.",
        )
    if not how.words:
        z = z.with_(log=())
    place = Path(state) if state is not None else None
    job = _Job(z, how, known, progress, place, {} if finders is None else finders)
    return job.run()


class _Job:
    """One search: the z's visited so far and how to go on."""

    def __init__(
        self,
        start: AnnotatedModel,
        how: Settings,
        lexicon: Lexicon,
        progress: Progress | None,
        state: Path | None,
        finders: dict[str, Finder],
    ) -> None:
        self.start, self.how, self.lexicon, self.state = start, how, lexicon, state
        self.say = progress or (lambda _what, _done, _total: None)
        self.visited: list[tuple[AnnotatedModel, Report, Score]] = []
        self.edited: tuple[str, ...] = ()
        self.finders = finders
        # How regions were found in rounds that were taken up, which need not be found again.
        self.known: dict[str, Any] = {}
        self.abandoned = ""

    def run(self) -> Found:
        self._resume()
        if not self.visited:
            self.visited.append(self._judged(self.start, 0))
        for number in range(len(self.visited), self.how.rounds + 1):
            if not self._worth(self.visited[-1][1], number) or not self._round(number):
                break
            self._keep()
        return self._found()

    def _round(self, number: int) -> bool:
        """Take a weight step; one that goes wrong is taken again, more gently."""
        z, report, _ = self.visited[-1]
        for attempt in range(_ATTEMPTS):
            try:
                made = self._judged(self._step(z, report, number, attempt), number)
            except CircuitzError as problem:
                # Training may go where nothing can be told any more. What is wrong with the inputs
                # themselves shows in the first round, and is told.
                if number == 1 and not isinstance(problem, MeasurementError | WeightsError):
                    raise
                self.abandoned = f"round {number}: {problem.message}"
                continue
            if self._knows(made[2]):
                self.visited.append(made)
                self.abandoned = ""
                return True
            self.abandoned = f"round {number}: the network forgot D."
        return False

    def _worth(self, report: Report, number: int) -> bool:
        # Without words nothing is ever flagged; the control trains its budget all the same.
        return not self.how.words or number == 1 or bool(report.flagged)

    def _judged(self, z: AnnotatedModel, number: int) -> tuple[AnnotatedModel, Report, Score]:
        """Measure, annotate, measure the sets of annotated units, check and score."""
        what = f"round {number}: measure" if number else "measure"
        z = self._measured(z, what)
        if self.how.words:
            z = self._measured(propose(z, lexicon=self.lexicon), what)
        report = check(z, split="test", lexicon=self.lexicon)
        # Proposed words that do not hold on *test* are no part of z; the start is as it was given.
        kept = withdraw(z, report.items) if self.how.words and number else z
        if kept is not z:
            z = self._measured(kept, what)
            report = check(z, split="test", lexicon=self.lexicon)
        assert z.data is not None
        return z, report, score(z, report, z.data)

    def _measured(self, z: AnnotatedModel, what: str) -> AnnotatedModel:
        return measure(
            z,
            seed=self.how.seed,
            sources=self.how.sources,
            lexicon=self.lexicon,
            progress=lambda done, total: self.say(what, done, total),
        )

    def _step(self, z: AnnotatedModel, report: Report, number: int, attempt: int) -> AnnotatedModel:
        todo = plan(z, report, self.lexicon, self.edited) if self.how.words else Plan()
        self.edited = todo.edit
        editor = self._editor(z, todo.edit, number)
        assert z.data is not None
        assert z.concept_set is not None
        trained = copy.deepcopy(runtime(z).module)
        spec = next(s for s in z.layers if s.name == z.cut[0])
        recipe = Recipe(
            rate=self.how.rate / 3**attempt, flip=self.how.flip, seed=self.how.seed * 1000 + number
        )
        an_epoch = max(1, len(training_rows(z.data)) // recipe.batch)
        epochs = max(self.how.epochs, math.ceil(self.how.steps / an_epoch))
        recipe = replace(recipe, epochs=epochs)
        weight_step(
            trained,
            spec,
            z.preprocessing,
            z.data,
            z.concept_set,
            todo,
            editor,
            recipe,
            lambda done, total: self.say(f"round {number}: train", done, total),
            head=z.head,
        )
        live = trained if z.live is not None else None
        return z.with_(what=f"weight step {number}", weights=to_numpy(trained), live=live)

    def _editor(self, z: AnnotatedModel, concepts: tuple[str, ...], number: int) -> Editor | None:
        if not concepts:
            return None
        assert z.data is not None
        assert z.concept_set is not None
        for concept in concepts:
            if concept not in self.finders:
                self.finders[concept] = find_regions(
                    concept,
                    z.concept_set,
                    self.lexicon,
                    source=self.how.regions,
                    seed=self.how.seed,
                    progress=lambda done, total: self.say(
                        f"round {number}: find regions", done, total
                    ),
                )
        finders = tuple(self.finders[concept] for concept in concepts)
        return make_editor(
            z.data,
            z.concept_set,
            finders,
            self.lexicon,
            where=self.how.where,
            seed=self.how.seed,
        )

    def _found(self) -> Found:
        scores = [s for _, _, s in self.visited]
        drivers = [
            sum(f.kind in OUTSIDE_KINDS for f in report.flagged) for _, report, _ in self.visited
        ]
        best = chosen(scores, drivers, self.how.lam)
        z, report, _ = self.visited[best]
        notes = {
            **z.notes,
            "search": {
                "settings": asdict(self.how),
                "start": self.start.hash,
                "scores": [s.to_json() for s in scores],
                "posterior": [s.posterior(self.how.lam) for s in scores],
                "best": best,
                "sweep": sweep(scores),
                "edited": list(self.edited),
                "abandoned": self.abandoned,
                "regions": self._regions(),
            },
        }
        return Found(
            z.with_(notes=notes, findings=report.items),
            report,
            tuple(scores),
            best,
            self.visited[-1][0],
        )

    def _knows(self, score: Score) -> bool:
        """Return whether a z still knows enough of D; one that does not explains nothing."""
        chance = 1 / len(self.start.classes)
        knew = self.visited[0][2].network
        return score.network - chance >= _KEPT * max(knew - chance, 0.0)

    def _regions(self) -> dict[str, Any]:
        found = self.known | {name: _made(finder) for name, finder in self.finders.items()}
        return {name: made for name, made in found.items() if name in self.edited}

    # -- going on after a stop ------------------------------------------------------------

    def _key(self) -> dict[str, Any]:
        settings = asdict(replace(self.how, rounds=0))
        assert self.start.data is not None
        assert self.start.concept_set is not None
        # The start's hash tells network and words, not what they are searched with.
        inputs = [fingerprint(self.start.data), fingerprint(self.start.concept_set)]
        return {
            "start": self.start.hash,
            "inputs": inputs,
            "settings": settings,
            "lexicon": self.lexicon.hash,
        }

    def _keep(self) -> None:
        if self.state is not None:
            zs = [z for z, _, _ in self.visited]
            keep(self.state, self._key(), Rounds(zs, self.edited, self._regions()))

    def _resume(self) -> None:
        """Take up finished rounds; each is judged anew."""
        done = take_up(self.state, self._key()) if self.state is not None else None
        if done is None:
            return
        self.known = done.regions
        for i, kept in enumerate(done.visited):
            z = kept.with_(data=self.start.data, concept_set=self.start.concept_set)
            self.visited.append(self._judged(z, i))
        self.edited = done.edited


def _made(finder: Finder) -> dict[str, Any]:
    """Return how a region was found, and how well the concept is told without it."""
    told = {"told_before": finder.told_before, "told_after": finder.told_after}
    return {
        "source": finder.source,
        **{k: round(v, 3) if math.isfinite(v) else None for k, v in told.items()},
    }
