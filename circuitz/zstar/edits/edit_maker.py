"""The edits of D for all flagged concepts of a search, each chosen once."""

from __future__ import annotations

from collections.abc import Callable

from circuitz.errors import ConceptLabelsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.edits.edit_trial import EditTrial
from circuitz.zstar.edits.find_edits import choose_edit
from circuitz.zstar.edits.pixel_edits import Editor, RegionMode, join_editors, make_editor
from circuitz.zstar.edits.regions import Finder, Source

Progress = Callable[[int, int], None]


class EditMaker:
    """Makes the editor of a weight step; a concept that cannot be edited is left out, and told.

    Parameters
    ----------
    finders
        Regions by concept, found before; what is found anew is added.
    lexicon
        Says of which kind concepts are.
    source
        What regions are learned from; by default the most exact there is.
    region_mode
        As in :func:`.make_editor`.
    seed
        Of everything random.
    """

    def __init__(
        self,
        finders: dict[str, Finder],
        lexicon: Lexicon,
        *,
        source: Source | None,
        region_mode: RegionMode,
        seed: int,
    ) -> None:
        self.finders = finders
        #: What was tried, by concept.
        self.trials: dict[str, tuple[EditTrial, ...]] = {}
        #: Concepts that pictures are not edited for, and why.
        self.unedited: dict[str, str] = {}
        self._lexicon, self._seed = lexicon, seed
        self._source: Source | None = source
        self._mode: RegionMode = region_mode

    def make(
        self, z: AnnotatedModel, concepts: tuple[str, ...], progress: Progress | None = None
    ) -> Editor | None:
        """Return what edits pictures of D; ``None`` where nothing is to be, or can be, edited."""
        assert z.data is not None
        assert z.concept_set is not None
        editors: list[Editor] = []
        for concept in concepts:
            finder = self._finder_for(z, concept, progress)
            if finder is None:
                continue
            try:
                made = make_editor(
                    z.data, z.concept_set, (finder,), self._lexicon,
                    region_mode=self._mode, seed=self._seed,
                )  # fmt: skip
            except ConceptLabelsError as problem:
                self.unedited[concept] = problem.message
                continue
            editors.append(made)
        return join_editors(editors) if editors else None

    def _finder_for(
        self, z: AnnotatedModel, concept: str, progress: Progress | None
    ) -> Finder | None:
        if concept not in self.finders and concept not in self.unedited:
            choice = choose_edit(
                concept, z, self._lexicon, source=self._source, seed=self._seed, progress=progress
            )
            self.trials[concept] = choice.trials
            if choice.finder is None:
                self.unedited[concept] = choice.problem
            else:
                self.finders[concept] = choice.finder
        return None if concept in self.unedited else self.finders[concept]

    def to_json(self) -> dict[str, object]:
        """Return what was tried, and what could not be edited, as JSON values."""
        tried = {name: [t.to_json() for t in trials] for name, trials in self.trials.items()}
        return {"edit_trials": tried, "unedited": dict(self.unedited)}
