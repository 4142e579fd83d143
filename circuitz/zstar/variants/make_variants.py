"""What people are asked of one z and its variants, and the models fitted to their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.cards.judged.plan_pairs import plan_pairs
from circuitz.cards.judged.questions_to_ask import class_questions_to_ask, comparisons_to_ask
from circuitz.errors import SearchError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.card_activities import card_activities
from circuitz.patching.source_rows import rows_of_select_split
from circuitz.store.asking import AskedQuestion
from circuitz.z.kinds_said import lexicon_in_force
from circuitz.z.model import AnnotatedModel
from circuitz.z.pixel_hashes import pixel_hash
from circuitz.zstar.chains.joint_objective import card_of_state
from circuitz.zstar.chains.searched_networks import SearchedNetworks
from circuitz.zstar.search_inputs import require_searchable
from circuitz.zstar.variants.variant_states import variant_states

Progress = Callable[[str, int, int], None]
# Variants whose signs people read without the picture: some answers about each tell more than many
# about one.
_READ = 12


@dataclass(frozen=True, eq=False)
class Variants:
    """One z and its variants, and what people are asked of them.

    Parameters
    ----------
    cards
        By what the variant differs in; the start is ``as it is``. Variants that look alike to
        people are one.
    comparisons, class_questions
        What is asked: which of two is more plausible; which class an input is, by the card and
        how active its signs are (the hidden arm), about inputs of D's *select* rows.
    """

    cards: dict[str, Card]
    comparisons: tuple[AskedQuestion, ...]
    class_questions: tuple[AskedQuestion, ...]

    @property
    def questions(self) -> tuple[AskedQuestion, ...]:
        """All of them."""
        return (*self.comparisons, *self.class_questions)

    @cached_property
    def activities(self) -> tuple[CardActivity, ...]:
        """What the hidden arm's questions show."""
        return tuple(q.shown["activity"] for q in self.class_questions)


def make_variants(
    z: AnnotatedModel,
    *,
    n: int = 30,
    comparisons: int = 160,
    answers: int = 120,
    raters: int = 1,
    images: int = 90,
    seed: int = 0,
    lexicon: Lexicon | None = None,
    progress: Progress | None = None,
) -> Variants:
    """Make variants of one z for people to judge: what M_prior and M_L can be fitted to.

    No variant is trained. Words are dropped, exchanged and moved, and paths are cut in the weights.
    Cards are those that a search by J scores: words count as not tested on D and D′.

    Parameters
    ----------
    z
        Annotated, with D (labels), a concept set and a cut of one layer at hand.
    n
        Most variants, z among them.
    comparisons, answers
        Pairs to compare, and inputs to tell the class of without the picture.
    raters
        How many people are to answer each.
    images
        Source images a split when effects of a variant are measured.
    seed
        Of variants, pairs and inputs.
    lexicon
        Names concepts; kinds are not read.
    progress
        Called with what is done, steps done and steps in all.

    Raises
    ------
    InputsError
        If D, its labels or the concept set are missing.
    SearchError
        If z bears no words, or all variants look alike.
    """
    require_searchable(z)
    networks = SearchedNetworks(
        z, lexicon_in_force(z, lexicon), inputs=1, images=images, seed=seed, progress=progress
    )
    states = variant_states(networks, n, seed=seed)
    cards: dict[str, Card] = {}
    activity_of: dict[str, Sequence[CardActivity]] = {}
    data = networks.trained("start").data
    assert data is not None
    drawn = np.random.default_rng([seed, 32])
    rows_of_d = rows_of_select_split(data)
    each = max(1, round(answers / min(_READ, len(states))))
    asked: list[AskedQuestion] = []
    hashes: set[str] = set()
    for i, (what, state) in enumerate(states.items()):
        if progress is not None:
            progress("variants", i, len(states))
        card = card_of_state(networks, state)
        if card.hash in hashes:
            continue
        hashes.add(card.hash)
        cards[what] = card
        if len(activity_of) == _READ or not any(entry.cues for entry in card.classes):
            continue
        rows = np.sort(drawn.choice(rows_of_d, min(each, len(rows_of_d)), replace=False))
        network = networks.network_of(state)
        shown = card_activities(networks.realise(state), card, data, rows, mean=network.usual)
        activity_of[what] = shown
        items = [pixel_hash(np.asarray(data.images[row])) for row in rows]
        asked += class_questions_to_ask(card, items, shown, raters=raters, seed=seed + i)
    if len(cards) < 2:
        raise SearchError(
            "All variants of this z look alike to people.", "Annotate units of its cut first."
        )
    pairs = plan_pairs(cards.values(), max(comparisons, len(cards) - 1), seed=seed)
    if progress is not None:
        progress("variants", len(states), len(states))
    return Variants(
        cards, tuple(comparisons_to_ask(pairs, cards.values(), raters=raters)), tuple(asked)
    )
