"""The model that ranks: where it is, what it is called, and what it was trained on."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from ranking.model.build import build_ranker
from ranking.model.ranker import Ranker
from ranking.weights import load_weights, public_weights_path, read_origin
from simulations.ranking.found_encoder import with_encoder
from simulations.runs.run_folder import MODEL

DRAWN = "synthetic"
"""The photo source whose photos are drawings; those of any other are photographs."""

_INSIDE = (MODEL, "public", "private")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ChosenModel:
    """A model and what is known of it.

    Attributes:
        ranker: The model.
        side: Pixels of the photos' side in training.
        title: The name of its run.
        photos: The photo source that it was trained on, or None where its file does not say.
    """

    ranker: Ranker
    side: int
    title: str
    photos: str | None

    @property
    def trained_on(self) -> str:
        """What it was trained on, in words that follow its name."""
        if self.photos is None:
            return "trained on photos unknown"
        return f"trained on {'drawings' if self.photos == DRAWN else 'photographs'}"

    @property
    def warning(self) -> str:
        """Why its order of photographs may be worthless, in one sentence, or ""."""
        if self.photos is None:
            return (
                "The model's file does not say what it was trained on: if it was drawings, "
                "the order of photographs may be worse than chance."
            )
        if self.photos == DRAWN:
            return (
                "The model was trained on drawings and has seen no photograph: its order of "
                "photographs may be worse than chance."
            )
        return ""


def chosen_model(run: Path | None, *, encoder: Path | None = None) -> ChosenModel:
    """Loads the model of a run, or the public ranker where None is named.

    Args:
        run: A run's folder, either half of it, or the file of a model.
        encoder: The file of an encoder of the user's own; None takes the one that ran.

    Raises:
        ValueError: There is no sound model, or its encoder is not there.
    """
    path = public_weights_path("real") if run is None else model_file(run)
    if path is None:
        raise ValueError(
            f"{run} holds no {MODEL}: name the folder of a run, as `darkroom simulate` "
            "leaves it in runs/, or its public half, or the file."
        )
    try:
        origin = read_origin(path)
        ranking = with_encoder(origin.ranking, model=path, file=encoder)
        ranker = build_ranker(ranking, generator=torch.Generator().manual_seed(0))
        load_weights(ranker, path)
    except OSError as failure:
        raise ValueError(f"{path} cannot be read: {failure.strerror or failure}.") from None
    title = "the public ranker" if run is None else _title(run)
    return ChosenModel(ranker=ranker, side=origin.side, title=title, photos=origin.photos)


def model_file(run: Path) -> Path | None:
    """Returns the file of the model that ``run`` names, or None where there is none."""
    places = (run / MODEL, run / "public" / MODEL, run / "private" / MODEL, run)
    return next((place for place in places if os.path.isfile(place)), None)  # noqa: PTH113


def _title(run: Path) -> str:
    """The name of the run, whichever part of it was named."""
    own = Path(os.path.realpath(run))
    names = (path.name for path in (own, *own.parents))
    return next((name for name in names if name not in (*_INSIDE, "")), "a model")
