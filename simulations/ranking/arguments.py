"""What is typed after `darkroom rank`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

Words = Annotated[
    list[Path] | None,
    typer.Argument(
        help="A run folder, its public half or a model's file; a folder of photographs.",
        metavar="[RUN] DIR",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None, typer.Option(help="A new folder for the results.", metavar="FOLDER")
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace a former ranking, and nothing else.")
]
Encoder = Annotated[
    Path | None,
    typer.Option(
        help="The ONNX file that the run's model ranks over, where it moved.", metavar="FILE"
    ),
]
Xmp = Annotated[
    Path | None,
    typer.Option(help="A new folder for ratings as XMP sidecars.", metavar="FOLDER"),
]


def run_and_folder(words: Sequence[Path] | None) -> tuple[Path | None, Path]:
    """Returns the run, or None for the public ranker, and the folder of photographs.

    Raises:
        ValueError: Neither one nor two are named.

    Examples:
        >>> run_and_folder([Path("album")])[0] is None
        True
    """
    match words:
        case [folder]:
            return None, folder
        case [run, folder]:
            return run, folder
    raise ValueError(
        "rank takes a folder of photographs, and before it a run where the public ranker "
        "shall not rank: darkroom rank [RUN] DIR"
    )
