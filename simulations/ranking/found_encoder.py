"""The encoder that a model ranks over: of a user's own a model's file has the digest alone."""

import hashlib
import os
from pathlib import Path
from typing import Any

import yaml

from ranking.model.encoders.registry import check_encoder
from ranking.settings import Ranking
from simulations.runs.run_folder import CONFIG


def with_encoder(ranking: Ranking, *, model: Path, file: Path | None) -> Ranking:
    """Returns the same with the file of its encoder, where that is one, found and tried.

    Args:
        ranking: As the model's file has it.
        model: That file: beside it, or in the private half of its run, is what ran.
        file: The encoder's file, as it was typed; None for the one that ran.

    Raises:
        ValueError: The encoder is not there, is another, or is no file and one is named; one
            sentence.
    """
    encoder = ranking.encoder
    if encoder.file_digest is not None:
        path = _found(encoder.file_digest, model=model, file=file)
        ranking = ranking.of_device(path)
    elif file is not None:
        raise ValueError(
            f"--encoder {file} is for models over an ONNX file, and {model} ranks over "
            f"ranking/encoder={encoder.kind}: leave it out."
        )
    check_encoder(ranking.encoder)
    return ranking


def recorded_file(model: Path) -> Path | None:
    """Returns the encoder's file as the record of a model's run has it; None where none does.

    Only the private half names paths; the model is there, or in the public half beside it.
    """
    for half in (model.parent, model.parent.parent / "private"):
        named = _setting(half / CONFIG, "ranking", "encoder", "file")
        if isinstance(named, str) and named:
            return Path(named)
    return None


def _found(wanted: str, *, model: Path, file: Path | None) -> Path:
    """The file that is the encoder, by its digest."""
    path = file or recorded_file(model)
    over = f"{model} ranks over an ONNX file, of SHA-256 {wanted}"
    if path is None:
        raise ValueError(f"{over}, which no record names: name it with --encoder FILE.")
    if not os.path.isfile(path):  # noqa: PTH113
        raise ValueError(f"{over}, and {path} is no file: name it with --encoder FILE.")
    try:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as failure:
        raise ValueError(f"{path} cannot be read: {failure.strerror or failure}.") from None
    if digest != wanted:
        raise ValueError(
            f"{over}, and that of {path} is {digest}: name the right one with --encoder FILE."
        )
    return path


def _setting(config: Path, *names: str) -> Any:
    """One setting of a written configuration; None where there is none, or it is no YAML."""
    if not os.path.isfile(config):  # noqa: PTH113
        return None
    try:
        found = yaml.safe_load(config.read_bytes())
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
