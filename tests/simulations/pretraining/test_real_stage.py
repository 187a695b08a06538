"""The projection of the encoder for real photographs: fitted to public pictures alone."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from ranking.encoders import FEATURES, Real
from ranking.model.encoders.real import EarlyLayers, RealEncoder, read_real
from simulations.pretraining import real_stage
from simulations.pretraining.real_stage import fit, write_real
from simulations.pretraining.stage import Stage

SAMPLE = all(find_spec(name) for name in ("skimage", "sklearn"))
needs_the_sample = pytest.mark.skipif(not SAMPLE, reason="needs the extra `sample`")


@pytest.fixture
def little(monkeypatch):
    """A sample of three devices, the last of them held out, and layers that are not read."""
    monkeypatch.setattr(real_stage, "DEVICES", 3)
    monkeypatch.setattr(real_stage, "HELD_OUT", 1)
    monkeypatch.setattr(real_stage, "MOMENTS", 1)
    state = EarlyLayers().state_dict()
    monkeypatch.setattr(real_stage, "early_layers", lambda: state)
    return state


def test_the_first_component_is_where_the_standardised_features_spread():
    """Two features, each the other's opposite once of spread 1: (1, -1) / √2, all there is."""
    ends = torch.tensor([[0.0, 30.0], [2.0, 10.0], [4.0, -10.0], [6.0, -30.0]])
    found = fit(ends)
    torch.testing.assert_close(found.mean.float(), torch.tensor([3.0, 0.0]))
    torch.testing.assert_close(found.scale.float(), torch.tensor([5.0, 500.0]).sqrt())
    half = 0.5**0.5
    assert found.components.abs().flatten().tolist() == pytest.approx([half] * 4)
    assert found.components[0].prod() < 0 < found.components[1].prod()
    assert found.shares.tolist() == pytest.approx([1, 0], abs=1e-12)
    # Of two features of variance 1 and nothing else: √2; what has no variance is cut off.
    assert found.spread.tolist() == pytest.approx([2**0.5, 0.3])


def test_components_are_orthonormal_in_the_order_of_their_variance_and_of_one_sign():
    draws = torch.Generator().manual_seed(0)
    features = torch.randn(50, 7, generator=draws) @ torch.randn(7, 7, generator=draws)
    found = fit(features)
    rows = found.components
    torch.testing.assert_close(rows @ rows.T, torch.eye(7).double())
    assert found.shares.tolist() == sorted(found.shares.tolist(), reverse=True)
    assert (rows.gather(1, rows.abs().argmax(1, keepdim=True)) > 0).all()
    standard = (features.double() - found.mean) / found.scale
    spread = (standard @ rows.T).var(0, correction=0)
    torch.testing.assert_close(spread / spread.sum(), found.shares)


def test_a_feature_that_never_changes_is_finite():
    found = fit(torch.tensor([[1.0, 0.0], [1.0, 2.0]]))
    assert all(part.isfinite().all() for part in found.tensors().values())


@needs_the_sample
def test_no_photo_of_a_held_out_device_is_fitted_to(little, monkeypatch):
    written = {}

    def noting(folder, **asked):
        write_sample(folder, **asked)
        for device in sorted(folder.iterdir()):
            if device.is_dir():
                written[device.name] = len(list(device.rglob("IMG_*")))

    write_sample = real_stage.write_sample
    monkeypatch.setattr(real_stage, "write_sample", noting)
    found = [len(some) for some in real_stage._photos(side=16, seed=0)]
    assert found == [written["device-1"], written["device-2"]]
    assert len(written) == 3


@needs_the_sample
def test_the_file_is_what_an_encoder_begins_with(little, tmp_path):
    out = tmp_path / "real.safetensors"
    lines = write_real(out, side=16, seed=0, command="made here")
    tensors = read_real(out)
    assert all(np.array_equal(tensors[name], value) for name, value in little.items())
    encoder = RealEncoder(Real(width=3))
    encoder.take(tensors)
    assert encoder(torch.rand(2, 3, 16, 16)).shape == (2, 3)
    assert tensors["components"].shape == (FEATURES, FEATURES)
    assert lines[-1].startswith(f"{out}: ")
    assert Stage("real") is Stage.REAL
