"""What somebody thinks a class looks like, or a unit sees."""

from __future__ import annotations

from dataclasses import dataclass

from circuitz.store.judgement import RaterKind, Use

OUTPUT_PREFIX = "output:"


@dataclass(frozen=True)
class Hypothesis:
    """One person's answer about one class or unit.

    Parameters
    ----------
    target
        What it is about, as annotations name it: ``output:husky`` or ``conv5:54``.
    words
        Concepts that were chosen.
    text
        What was written beside them.
    rater, rater_kind
        Who said it.
    use
        What it may be used for.
    z_hash
        The z the target belongs to.
    answered
        When, ISO 8601.
    seconds
        How long it took, where that is known.
    task, id
        The task, and the judgement it was read from.
    """

    target: str
    words: tuple[str, ...]
    text: str = ""
    rater: str = ""
    rater_kind: RaterKind = "person"
    use: Use = "train"
    z_hash: str = ""
    answered: str = ""
    seconds: float | None = None
    task: str = ""
    id: str = ""

    @property
    def class_name(self) -> str:
        """The class it is about; empty where it is about a unit."""
        return self.target.removeprefix(OUTPUT_PREFIX) if self.is_about_class else ""

    @property
    def is_about_class(self) -> bool:
        """Whether it is about a class."""
        return self.target.startswith(OUTPUT_PREFIX)

    @property
    def phrases(self) -> tuple[str, ...]:
        """Everything that was said, each once: chosen words first, then what was written."""
        written = [part.strip() for part in self.text.replace("\n", ";").split(";")]
        return tuple(dict.fromkeys([*self.words, *(part for part in written if part)]))
