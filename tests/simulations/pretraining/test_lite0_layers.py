"""The package's file: read only if it is the one that is known."""

import sys

import pytest
import torch

from ranking.model.encoders.real import EarlyLayers
from simulations.pretraining import lite0_layers
from simulations.pretraining.lite0_layers import early_layers, folded


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Gives the place of a package's file a content."""
    package = tmp_path / lite0_layers.PACKAGE
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the code was run')")
    monkeypatch.delitem(sys.modules, lite0_layers.PACKAGE, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    return package / lite0_layers.FILE


def test_a_convolution_and_the_normalisation_after_it_become_one():
    """One channel, worked by hand: 3 · (x - 1) / √(0.249 + 0.001) + 0.5 is 6 x - 5.5."""
    norms = {"weight": 3.0, "bias": 0.5, "running_mean": 1.0, "running_var": 0.249}
    state = {
        f"{norm}.{name}": torch.tensor([value])
        for _, _, norm in lite0_layers._names()
        for name, value in norms.items()
    }
    state |= {
        f"{convolution}.weight": torch.ones(1, 1, 1, 1)
        for _, convolution, _ in lite0_layers._names()
    }
    found = folded(state)
    assert found.keys() == EarlyLayers().state_dict().keys()
    for name, values in found.items():
        value = -5.5 if name.endswith("bias") else 6.0
        torch.testing.assert_close(values, torch.full_like(values, value))


def test_a_file_of_another_digest_is_not_unpickled(installed):
    installed.write_bytes(b"cos\nsystem\n(S'echo run'\ntR.")
    with pytest.raises(ValueError, match=r"is not the file whose layers are known") as said:
        early_layers()
    assert "pip install" in str(said.value)


def test_without_the_package_the_way_to_get_it_is_said(monkeypatch):
    monkeypatch.setattr(lite0_layers, "PACKAGE", "no_such_package")
    with pytest.raises(ValueError, match=r'^--stage real needs models.*-e "\.\[lite0\]"'):
        early_layers()
