from __future__ import annotations

import sys

import pytest
from torch import nn

from circuitz.errors import BuilderError
from circuitz.models.adapters import imported
from circuitz.models.zoo.builders import build


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "some_net.py").write_text(
        "from torch import nn\nLOADED = []\nclass Nets:\n    @staticmethod\n"
        "    def small(n=2):\n        return nn.Linear(3, n)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(imported, "_trusted", set())
    monkeypatch.delenv(imported.VARIABLE, raising=False)
    monkeypatch.delitem(sys.modules, "some_net", raising=False)


def test_nothing_is_imported_before_somebody_trusts_it(module) -> None:
    path = list(sys.path)
    asked = {"function": "some_net:Nets.small", "args": {"n": 5}}
    with pytest.raises(BuilderError, match="nobody allowed") as caught:
        build("import", asked)
    assert "--trust-code some_net:Nets.small" in caught.value.hint
    assert "some_net" not in sys.modules
    imported.trust("some_net:Nets.small")
    net = build("import", asked)
    assert isinstance(net, nn.Linear)
    assert net.out_features == 5
    assert net.circuitz_builder == ("import", asked)
    assert sys.path == path
    with pytest.raises(BuilderError, match="nobody allowed"):
        build("import", {"function": "some_net:Nets"})


def test_the_environment_may_say_so_for_kernels(module, monkeypatch) -> None:
    monkeypatch.setenv(imported.VARIABLE, "other:f, some_net:Nets.small")
    assert isinstance(build("import", {"function": "some_net:Nets.small"}), nn.Linear)


@pytest.mark.parametrize(
    "name", ["", "os", "os:", ":system", "os.system", "a b:c", "os:system;x", "../x:y", "x:y()"]
)
def test_what_is_no_name_is_refused(name) -> None:
    with pytest.raises(BuilderError, match="names no function"):
        imported.trust(name)
    with pytest.raises(BuilderError, match="names no function"):
        build("import", {"function": name})
