"""``circuitz concepts ask --on``: pictures of D or D′ that decide whether words hold there."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from circuitz.cli.shell import progress_bars
from circuitz.errors import LabellingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circuitz.labelling.tasks.pack import TaskPack
    from circuitz.posterior.words.word_test_plan import WordTestPlan
    from circuitz.store.asking import AskedQuestion
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel
    from circuitz.z.word_tests import Half


class PopulationName(StrEnum):
    """Where words are tested by people's answers."""

    D = "D"
    SHIFTED = "shifted"


def half_by_name(text: str) -> Half:
    """Return the half of that name.

    Raises
    ------
    LabellingError
        If there is none.
    """
    halves: dict[str, Literal["search", "audit"]] = {"search": "search", "audit": "audit"}
    if text not in halves:
        raise LabellingError(f"There is no half {text!r}.", "Choose search or audit.")
    return halves[text]


def open_or_make_population_pack(
    z: Path,
    model: AnnotatedModel,
    words: list[str],
    path: Path | None,
    on: PopulationName,
    shifted: Path | None,
    half: str,
    *,
    n: int,
    raters: int,
    seed: int,
) -> tuple[Path, TaskPack]:
    """Open the questions that are there, or choose pictures and make them."""
    from circuitz.cli.concepts_ask import default_tasks_path
    from circuitz.labelling.concepts.population_pack import populations_of_pack
    from circuitz.labelling.tasks.pack_io import open_pack
    from circuitz.posterior.words.word_answers import merge_answers_about_words
    from circuitz.posterior.words.word_test_plan import plan_word_tests

    named = half_by_name(half)
    if path is None:
        path = default_tasks_path(z, f"words-{on.value}-{named}", words or ["all"])
    if path.exists():
        pack = open_pack(path)
        if not populations_of_pack(pack) or not set(words) <= set(pack.words):
            raise LabellingError(
                f"{path} holds other questions: about {', '.join(pack.words) or 'classes'}.",
                "Name another place: --tasks.",
            )
        return path, pack
    if (on is PopulationName.SHIFTED) != (shifted is not None):
        raise LabellingError(
            "The shifted set is asked about with --on shifted and --shifted DIR together.",
            "Pictures of D need neither.",
        )
    with progress_bars() as steps:
        others = None if shifted is None else read_shifted_pictures(shifted, model)
        if on is PopulationName.SHIFTED:
            model = model.with_(data=None)
        plan = plan_word_tests(
            model, shifted=others, words=words or None, half=named, seed=seed, progress=steps
        )
        left = plan.questions_left(merge_answers_about_words([]), n)
    write_population_pack(path, model, plan, left, raters=raters, seed=seed)
    return path, open_pack(path)


def read_shifted_pictures(folder: Path, model: AnnotatedModel) -> InputSet:
    """Read D′ from a folder, without labels."""
    from circuitz.data.unlabelled_pictures import unlabelled_pictures

    return unlabelled_pictures(folder, model)


def write_population_pack(
    path: Path,
    model: AnnotatedModel,
    plan: WordTestPlan,
    questions: Sequence[AskedQuestion],
    *,
    raters: int,
    seed: int,
) -> TaskPack:
    """Write questions about D and D′ as a task pack."""
    from circuitz.labelling.concepts.population_pack import make_population_pack
    from circuitz.labelling.tasks.pack_io import write_pack

    pack = make_population_pack(model, questions, plan.gold_labels, overlap=raters, seed=seed)
    write_pack(pack, path)
    return pack
