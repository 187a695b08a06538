"""The ranker's file: safetensors, and a digest without which flipped bits pass unnoticed."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ranking.model.lora import under_adapters
from ranking.model.ranker import Ranker
from ranking.settings import Trained

FORMAT = 1
"""Version of the file's metadata, kept in it. Raise it when ``Origin`` or the digest changes: a
file of another version is then refused in one sentence, not misread."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where weights come from; it is kept in their file.

    Attributes:
        seed: The run's seed; None where it is not released, for cohorts and held-out moments
            may follow from it.
        command: The command that made the file.
        trained: The part that was trained; ``lora`` files hold adapters.
        side: Pixels of the photos' side in training.
    """

    seed: int | None
    command: str
    trained: Trained
    side: int


def public_weights_path() -> Path:
    """Returns the path of the ranker that ships with Darkroom."""
    return Path(__file__).with_name("public.safetensors")


def save_weights(ranker: Ranker, path: Path, *, origin: Origin) -> None:
    """Writes every parameter; a crash leaves the former file or the new one, whole.

    Args:
        ranker: The ranker.
        path: Replaced if it is there; its folder must exist.
        origin: Kept in the file.
    """
    tensors = {name: value.contiguous() for name, value in ranker.state_dict().items()}
    facts = json.dumps({"format": FORMAT, **asdict(origin)}, sort_keys=True)
    metadata = {"darkroom": facts, "sha256": _digest(tensors, facts=facts)}
    content = save(tensors, metadata=metadata)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load_weights(ranker: Ranker, path: Path) -> Origin:
    """Copies a file's weights into ``ranker`` and returns where they come from.

    A ranker with adapters also takes a file without: its adapters stay as they are.

    Raises:
        ValueError: The file is missing, damaged, or of another model; nothing is copied.
    """
    origin, tensors = _read(path)
    state = ranker.state_dict()
    if origin.trained != "lora":
        tensors = under_adapters(tensors, state)
    if {name: value.shape for name, value in tensors.items()} != {
        name: value.shape for name, value in state.items()
    }:
        raise ValueError(
            f"{path} holds the weights of another model (trained={origin.trained}): "
            "set ranking= and ranking.weights to match."
        )
    ranker.load_state_dict(tensors)
    return origin


def read_origin(path: Path) -> Origin:
    """Returns where a file's weights come from, verified as by ``load_weights``."""
    return _read(path)[0]


def _read(path: Path) -> tuple[Origin, dict[str, Tensor]]:
    if not path.is_file():
        raise ValueError(
            f"{path} is missing: set ranking.weights to a safetensors file, or make the public "
            "one with `darkroom pretrain`."
        )
    try:
        return _verified(path)
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise ValueError(
            f"{path} is damaged or not written by Darkroom: restore it, or make the public one "
            "again with `darkroom pretrain`."
        ) from None


def _verified(path: Path) -> tuple[Origin, dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    facts = metadata["darkroom"]
    if metadata["sha256"] != _digest(tensors, facts=facts):
        raise ValueError("the digest differs")
    origin = json.loads(facts)
    if origin.pop("format") != FORMAT:
        raise ValueError("the format is another")
    return Origin(**origin), tensors


def _digest(tensors: Mapping[str, Tensor], *, facts: str) -> str:
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        values = tensors[name].to(torch.float32).contiguous()
        digest.update(f"\n{name}{list(values.shape)}\n".encode())
        digest.update(values.numpy().astype("<f4").tobytes())
    return digest.hexdigest()
