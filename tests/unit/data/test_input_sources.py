from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from circuitz.data.input_sources import as_inputs
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.errors import InputsError, NetworkWarning


def pictures(n: int = 40, size: int = 10) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


LABELS = np.arange(40) % 4


def test_an_input_set_comes_back_as_it_is():
    d = make_dogs("D", 3)
    assert as_inputs(d) is d


def test_arrays_become_a_set_with_splits_and_scenes():
    made = as_inputs((pictures(), LABELS))
    assert (made.images == pictures()).all()
    assert made.classes == ("class 0", "class 1", "class 2", "class 3")
    assert made.split is not None
    assert len(np.unique(made.split)) == 3
    assert as_inputs((pictures(), LABELS), classes=tuple("abcd")).classes == tuple("abcd")


def test_floats_with_channels_first_give_the_same_set_as_bytes():
    x = pictures()
    floats = np.ascontiguousarray(x.transpose(0, 3, 1, 2)).astype(np.float32) / 255
    assert (as_inputs((floats, LABELS)).images == x).all()
    assert (as_inputs((floats.astype(np.float64), LABELS.astype(float))).images == x).all()
    assert (as_inputs((x.transpose(0, 3, 1, 2), LABELS)).images == x).all()
    assert as_inputs((x[..., 0], LABELS)).images.shape == (40, 10, 10, 1)
    assert (as_inputs((x.astype(np.int64), LABELS[:, None])).images == x).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((pictures(0), LABELS[:0]), "empty"),
        (([], []), "shape"),
        ((pictures(), LABELS[:-1]), "40 pictures but labels"),
        ((pictures(), LABELS * 0), "one class"),
        ((pictures(), LABELS - 1), "(?i)labels lie in -1"),
        ((pictures(), LABELS + 0.5), "whole numbers"),
        ((pictures(), np.where(LABELS == 1, np.nan, 0.0)), "whole numbers"),
        ((pictures(), LABELS.astype("datetime64[s]")), "Labels are of type"),
        ((pictures(), LABELS + 2**40), "Labels count from 0"),
        ((pictures()[:, :, :, :2], LABELS), "no axis"),
        ((pictures()[0, 0], LABELS), "shape"),
        ((pictures().astype(np.float32) / 128 - 1, LABELS), "before normalisation"),
        ((pictures().astype(np.int32) + 7, LABELS), "Pixels run"),
        (([np.zeros((4, 4, 3)), np.zeros((5, 5, 3))], [0, 1]), "one shape"),
        (42, "cannot be read from a int"),
        ([], "empty"),
        ([3, 4], "not a picture and its label"),
        ([(np.zeros((4, 4, 3), np.uint8), 0), (np.zeros((5, 4, 3), np.uint8), 1)], "Picture 1 is"),
    ],
)
def test_what_cannot_be_used_is_named(data: Any, message: str):
    with pytest.raises(InputsError, match=message) as caught:
        as_inputs(data)
    assert caught.value.hint


def test_pixels_that_are_not_numbers_are_named():
    x = pictures().astype(np.float32) / 255
    x[7, 3, 3, 1] = np.nan
    with pytest.raises(InputsError, match=r"Picture 7 .*NaN"):
        as_inputs((x, LABELS))
    with pytest.raises(InputsError, match=r"Picture 7 .*NaN"):
        as_inputs([(x[i], i % 2) for i in range(40)])


def test_labels_beyond_the_given_classes_are_refused():
    with pytest.raises(InputsError, match="2 classes"):
        as_inputs((pictures(), LABELS), classes=("a", "b"))


def test_identical_pictures_never_stand_in_two_splits():
    x = np.concatenate([pictures(), pictures()])
    made = as_inputs((x, np.tile(LABELS, 2)))
    assert made.split is not None
    assert (made.split[:40] == made.split[40:]).all()


def test_pictures_under_two_classes_are_refused():
    x = np.concatenate([pictures(), pictures()])
    with pytest.raises(InputsError, match="40 pictures stand under two classes, first 0 and 40"):
        as_inputs((x, np.concatenate([LABELS, (LABELS + 1) % 4])))


def test_a_list_of_pictures_and_labels_is_a_dataset():
    x = pictures()
    items = [(Image.fromarray(x[i]), int(LABELS[i])) for i in range(40)]
    assert (as_inputs(items).images == x).all()
    assert len(as_inputs(items, limit=20)) == 20
    assert (as_inputs(iter(items)).images == x).all()
    with pytest.raises(InputsError, match="limit"):
        as_inputs(items, limit=0)


def test_a_folder_is_opened_by_its_path(tmp_path: Path):
    for i in range(8):
        folder = tmp_path / "ab"[i % 2]
        folder.mkdir(exist_ok=True)
        Image.fromarray(pictures()[i]).save(folder / f"{i}.png")
    assert as_inputs(tmp_path).classes == ("a", "b")
    assert as_inputs(str(tmp_path)).images.shape == (8, 10, 10, 3)


def test_torch_datasets_and_loaders_are_read():
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(pictures()).permute(0, 3, 1, 2).float() / 255
    data = torch.utils.data.TensorDataset(x, torch.from_numpy(LABELS))
    loader = torch.utils.data.DataLoader(data, batch_size=7)
    shuffled = torch.utils.data.DataLoader(data, batch_size=7, shuffle=True, drop_last=True)
    subset = torch.utils.data.DataLoader(
        data, batch_size=7, sampler=torch.utils.data.SubsetRandomSampler([1, 2, 3, 8])
    )
    for source in (data, loader, shuffled, (x, torch.from_numpy(LABELS))):
        made = as_inputs(source)
        assert (made.images == pictures()).all()
        assert made.labels is not None
        assert (made.labels == LABELS).all()
    assert len(as_inputs(subset)) == 4
    assert len(as_inputs(loader, limit=10)) == 10


def test_names_of_classes_come_from_the_dataset():
    class Named(list[Any]):
        classes = ("cat", "dog")

    items = Named([(p, i % 2) for i, p in enumerate(pictures())])
    assert as_inputs(items).classes == ("cat", "dog")


def test_reading_inputs_loads_no_torch():
    code = (
        "import sys, circuitz.data.input_sources, circuitz.data.worlds.dog_world, circuitz.data.worlds.contact_sheet;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_labels_that_are_names_are_matched_by_name() -> None:
    words = np.array(["dog", "cat", "owl", "ant"])[LABELS]
    made = as_inputs((pictures(), words))
    assert made.classes == ("ant", "cat", "dog", "owl")
    assert [made.classes[i] for i in made.labels] == list(words)
    own = as_inputs((pictures(), list(words)), classes=("owl", "dog", "cat", "ant"))
    assert own.classes == ("owl", "dog", "cat", "ant")
    assert [own.classes[i] for i in own.labels] == list(words)
    items = [(p, str(w)) for p, w in zip(pictures(), words, strict=True)]
    assert (as_inputs(items).labels == made.labels).all()
    with pytest.raises(InputsError, match="label is 'ant', which is no class"):
        as_inputs((pictures(), words), classes=("owl", "dog", "cat"))


def test_floats_beyond_one_are_taken_for_0_to_255_and_said() -> None:
    x = pictures()
    x[3] = 1  # so dark that by itself it could be of either kind
    with pytest.warns(NetworkWarning, match="taken for 0 to 255"):
        made = as_inputs((x.astype(np.float32).transpose(0, 3, 1, 2), LABELS))
    assert (made.images == x).all()
    items = [
        (p.astype(np.float32).transpose(2, 0, 1), int(y)) for p, y in zip(x, LABELS, strict=True)
    ]
    with pytest.warns(NetworkWarning, match="taken for 0 to 255"):
        assert (as_inputs(items).images == x).all()
    for wrong in (x / 255 * 1.3, x / 255 - 0.5, x * 2.0):
        with pytest.raises(InputsError, match="Pixels run"):
            as_inputs((wrong.transpose(0, 3, 1, 2), LABELS))


def test_messages_name_the_file_where_a_dataset_lists_them() -> None:
    class Listed(list):
        samples: list

    items = Listed([(np.full((8, 8, 3), 0.5), 0), (np.full((8, 8, 3), np.nan), 1)])
    items.samples = [("a/one.png", 0), ("b/two.png", 1)]
    with pytest.raises(InputsError, match=r"b/two\.png has pixels"):
        as_inputs(items)
