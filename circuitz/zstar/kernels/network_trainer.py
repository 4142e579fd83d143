"""Trains the present network of a chain for some steps: what the weight and pixel kernels share."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from circuitz.disk.hashing import json_hash
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.training import Recipe
from circuitz.patching.source_rows import rows_of_select_split
from circuitz.zstar.chains.searched_networks import SearchedNetworks
from circuitz.zstar.chains.z_state import Names, ZState
from circuitz.zstar.edits.edit_maker import EditMaker
from circuitz.zstar.edits.pixel_edits import Editor
from circuitz.zstar.kernels.words_anew import words_anew
from circuitz.zstar.weight_plan import WeightStepPlan
from circuitz.zstar.weight_step import train_weight_step

# Steps and rates are drawn between these shares of the most and the most.
_FEWEST, _SLOWEST = 0.25, 0.125


@dataclass(frozen=True)
class StepSize:
    """How long and how fast to train.

    Parameters
    ----------
    steps, rate
        Steps, and the largest learning rate of the cycle.
    seed
        Of order, flips and edits.
    """

    steps: int
    rate: float
    seed: int


@dataclass(frozen=True)
class NetworkTrainer:
    """Trains on *select* rows of D alone: J is summed over *test* rows.

    Parameters
    ----------
    networks
        Where the trained network is put.
    edits
        Makes edits of pictures, each concept's once.
    steps, rate
        Most steps, and the largest rate.
    flip
        Whether training mirrors half of the images.
    """

    networks: SearchedNetworks
    edits: EditMaker
    steps: int
    rate: float
    flip: bool = True

    def draw_size(self, rng: np.random.Generator) -> StepSize:
        """Draw a size, evenly in logarithms."""
        steps = self.steps * _FEWEST ** rng.random()
        rate = self.rate * _SLOWEST ** rng.random()
        return StepSize(max(1, round(steps)), float(rate), int(rng.integers(2**31)))

    def editor_of(self, concepts: Names) -> Editor | None:
        """Return what edits concepts in pictures of D; ``None`` where nothing is to be edited."""
        start = self.networks.trained("start")
        return self.edits.make(
            start, concepts, lambda done, total: self.networks.progress("find regions", done, total)
        )

    def train(self, state: ZState, plan: WeightStepPlan, size: StepSize) -> ZState:
        """Return the state on a network trained from its own; silenced paths are part of that.

        The concepts that the state says are edited are edited in the pictures.
        """
        z = self.networks.network_of(state).z
        assert z.data is not None
        assert z.concept_set is not None
        made_from = [state.network, state.silenced, asdict(plan), asdict(size), state.edited]
        name = f"trained {json_hash(made_from)[:16]}"
        net = copy.deepcopy(runtime(z).module)
        spec = next(one for one in z.layers if one.name == z.cut[0])
        recipe = Recipe(rate=size.rate, flip=self.flip, seed=size.seed)
        rows = rows_of_select_split(z.data)
        seen = min(len(rows), size.steps * recipe.batch)
        rows = np.sort(np.random.default_rng(size.seed).permutation(rows)[:seen])
        recipe = replace(recipe, epochs=math.ceil(size.steps * recipe.batch / max(seen, 1)))
        train_weight_step(
            net, spec, z.preprocessing, z.data, z.concept_set, plan,
            self.editor_of(state.edited), recipe,
            lambda done, total: self.networks.progress("train", done, total),
            head=z.head, rows=rows,
        )  # fmt: skip
        made = z.with_(what=f"search: {name}", weights=weights_to_numpy(net))
        self.networks.add(name, made)
        return replace(state, network=name, silenced=())

    def read_anew(self, state: ZState) -> ZState:
        """Return a trained state with the words that its units match now; people's words stay."""
        networks = self.networks
        return words_anew(state, networks.network_of(state), networks.people_wrote())
