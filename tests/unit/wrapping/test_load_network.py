from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import InputsError
from circuitz.wrapping.load_network import class_names_in_logit_order
from circuitz.z.inputs import InputSet

DATA = InputSet(
    np.zeros((3, 8, 8, 3), np.uint8), labels=np.arange(3), classes=("Bär", "cat", "dog")
)


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("dog", "Bär", "cat"), ("dog", "Bär", "cat")),
        # Case, blanks and the form of an accent do not make another order.
        (("Dog", "BÄR", "cat "), ("dog", "Bär", "cat")),
        (("dog", "Ba\u0308r", "cat"), ("dog", "Bär", "cat")),
        (("dog", "wolf", "Cat", "bär"), ("dog", "wolf", "cat", "Bär")),
        (("n01", "n02", "n03"), DATA.classes),
        ((), DATA.classes),
    ],
)
def test_the_order_is_that_of_the_logits(names, order) -> None:
    assert class_names_in_logit_order(names, DATA) == order


def test_a_class_that_the_network_lacks_is_named() -> None:
    with pytest.raises(InputsError, match="class 'cat'"):
        class_names_in_logit_order(("dog", "Bär", "wolf"), DATA)
