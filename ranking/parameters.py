"""A module's parameters as one flat vector, and the digests of parameters and of files."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Vector = NDArray[np.float32]


def flatten(module: nn.Module, names: Sequence[str]) -> Vector:
    """Returns the named parameters as one fresh vector, in the order of ``names``.

    Args:
        module: Owner of the parameters.
        names: As in ``named_parameters``, which also gives their usual order.

    Returns:
        [n] float32.
    """
    parameters = dict(module.named_parameters())
    parts = [parameters[name].detach().cpu().reshape(-1).numpy() for name in names]
    return np.concatenate(parts, dtype=np.float32) if parts else np.zeros(0, np.float32)


def load_flat(module: nn.Module, names: Sequence[str], vector: Vector) -> None:
    """Copies a vector made by ``flatten`` into the named parameters.

    Raises:
        ValueError: The vector is not float32 or not as long as the parameters; nothing is
            copied then.
    """
    parameters = dict(module.named_parameters())
    chosen = [parameters[name] for name in names]
    check_flat(vector, sum(parameter.numel() for parameter in chosen))
    start = 0
    with torch.no_grad():
        for parameter in chosen:
            part = vector[start : start + parameter.numel()].reshape(parameter.shape)
            parameter.copy_(torch.tensor(part))
            start += parameter.numel()


def check_flat(vector: Vector, size: int) -> None:
    """Refuses what is no vector of so many parameters.

    Raises:
        ValueError: The vector is not float32 or of another length.
    """
    if vector.shape != (size,) or vector.dtype != np.float32:
        raise ValueError(
            f"the parameters are a float32 vector of {size} numbers, "
            f"got {vector.dtype} of shape {vector.shape}."
        )


def place(module: nn.Module) -> torch.device:
    """Returns where ``module``, all in one place, is; without parameters or buffers, here."""
    first = next(chain(module.parameters(), module.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def frozen_digest(module: nn.Module, names: Sequence[str], vector: Vector) -> str:
    """Returns the hexadecimal SHA-256 over the parameters' names, shapes and bytes.

    A part that is more than its parameters, such as an encoder of the user's own, says by its
    ``identity`` what it is, and that comes first.

    Args:
        module: Gives the shapes and identities; its values are not read.
        names: Names of the frozen parameters, in order.
        vector: [n] float32 their values, as from ``flatten``; hashed as little-endian bytes.
    """
    parameters = dict(module.named_parameters())
    digest = hashlib.sha256()
    for part in module.modules():
        if identity := getattr(part, "identity", ""):
            digest.update(f"{identity}\n".encode())
    for name in names:
        shape = ",".join(str(size) for size in parameters[name].shape)
        digest.update(f"{name}[{shape}]\n".encode())
    digest.update(vector.astype("<f4").tobytes())
    return digest.hexdigest()


def module_digest(module: nn.Module) -> str:
    """Returns ``frozen_digest`` of all parameters of ``module`` as they are."""
    names = [name for name, _ in module.named_parameters()]
    return frozen_digest(module, names, flatten(module, names))


def tensors_digest(tensors: Mapping[str, Tensor], *, facts: str) -> str:
    """Returns the hexadecimal SHA-256 of what is in a file of weights.

    Args:
        tensors: By their names; hashed as little-endian float32.
        facts: What the file says of itself.
    """
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        values = tensors[name].to(torch.float32).contiguous()
        digest.update(f"\n{name}{list(values.shape)}\n".encode())
        digest.update(values.numpy().astype("<f4").tobytes())
    return digest.hexdigest()
