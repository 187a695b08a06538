"""What a file of weights says of itself, read without torch and without its weights."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open


def list_sizes(path: Path) -> dict[str, Any]:
    """Returns the sizes of a file's list model by their names, and its kind.

    Whether they are the file's own is known when its weights are read, for the digest is of
    both.

    Raises:
        ValueError: The file is missing or damaged; one sentence.
    """
    if not path.is_file():
        raise missing(path)
    try:
        with safe_open(path, framework="np") as file:
            facts = json.loads(file.metadata()["darkroom"])
        return dict(facts["ranking"]["list"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        raise damaged(path) from None


def missing(path: Path) -> ValueError:
    """Returns the refusal of a file that is not there."""
    return ValueError(
        f"{path} is missing: set ranking.weights to a safetensors file, or make the public one "
        "with `darkroom pretrain`."
    )


def damaged(path: Path) -> ValueError:
    """Returns the refusal of a file that cannot be read as weights."""
    return ValueError(
        f"{path} is damaged or not written by Darkroom: restore it, or make the public one "
        "again with `darkroom pretrain`."
    )
