"""The real photographs inside installed packages, of which the sample is made."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from PIL import Image


@dataclass(frozen=True, kw_only=True, slots=True)
class SourcePicture:
    """A photograph that comes with an installed package.

    Attributes:
        name: What it shows, in one word.
        package: Import name of the package.
        file: Path inside the package.
        credit: Who made it.
        licence: Under which licence.
        held_out: Whether only held-out devices photograph it.
    """

    name: str
    package: Literal["matplotlib", "skimage", "sklearn"]
    file: str
    credit: str
    licence: str
    held_out: bool


PICTURES = (
    SourcePicture(
        name="astronaut",
        package="skimage",
        file="data/astronaut.png",
        credit="NASA, portrait of Eileen Collins",
        licence="public domain",
        held_out=False,
    ),
    SourcePicture(
        name="camera",
        package="skimage",
        file="data/camera.png",
        credit="Lav Varshney",
        licence="CC0 1.0",
        held_out=False,
    ),
    SourcePicture(
        name="rocket",
        package="skimage",
        file="data/rocket.jpg",
        credit="SpaceX, https://www.flickr.com/photos/spacexphotos/16511594820",
        licence="public domain",
        held_out=False,
    ),
    SourcePicture(
        name="temple",
        package="sklearn",
        file="datasets/images/china.jpg",
        credit="danielbuechele, https://www.flickr.com/photos/danielbuechele/6061409035",
        licence="CC BY 2.0, https://creativecommons.org/licenses/by/2.0/; changed",
        held_out=False,
    ),
    SourcePicture(
        name="cat",
        package="skimage",
        file="data/chelsea.png",
        credit="Stefan van der Walt",
        licence="CC0 1.0",
        held_out=True,
    ),
    SourcePicture(
        name="coffee",
        package="skimage",
        file="data/coffee.png",
        credit="Rachel Michetti",
        licence="CC0 1.0",
        held_out=True,
    ),
    SourcePicture(
        name="flower",
        package="sklearn",
        file="datasets/images/flower.jpg",
        credit="vultilion, https://www.flickr.com/photos/vultilion/6056698931",
        licence="CC BY 2.0, https://creativecommons.org/licenses/by/2.0/; changed",
        held_out=True,
    ),
)


MORE_PICTURES = (
    SourcePicture(
        name="bricks",
        package="skimage",
        file="data/brick.png",
        credit="CC0Textures, https://cc0textures.com/view.php?tex=Bricks25",
        licence="CC0 1.0",
        held_out=False,
    ),
    SourcePicture(
        name="gravel",
        package="skimage",
        file="data/gravel.png",
        credit="CC0Textures, https://cc0textures.com/view.php?tex=Gravel04",
        licence="CC0 1.0",
        held_out=False,
    ),
    SourcePicture(
        name="grass",
        package="skimage",
        file="data/grass.png",
        credit="linolafett, https://www.deviantart.com/linolafett/art/Grass-01-434853879",
        licence="CC0 1.0",
        held_out=False,
    ),
    SourcePicture(
        name="admiral",
        package="matplotlib",
        file="mpl-data/sample_data/grace_hopper.jpg",
        credit="James S. Davis, United States Navy, portrait of Grace Hopper",
        licence="public domain",
        held_out=True,
    ),
)
"""What the second version of the sample has besides."""

GALAXIES = SourcePicture(
    name="galaxies",
    package="skimage",
    file="data/hubble_deep_field.jpg",
    credit="NASA, Hubble Deep Field",
    licence="public domain",
    held_out=False,
)

TRAINING = (*(one for one in (*PICTURES, *MORE_PICTURES) if not one.held_out), GALAXIES)
"""The pictures that public weights may be trained on: none that only held-out devices see."""


def open_picture(picture: SourcePicture) -> Image.Image:
    """Returns the whole picture in RGB; the package itself is not imported.

    Raises:
        ValueError: The package, or the file inside it, is not installed.
    """
    spec = find_spec(picture.package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    for folder in folders:
        path = Path(folder) / picture.file
        if path.is_file():
            with Image.open(path) as image:
                return image.convert("RGB")
    raise ValueError(
        f"the sample needs {picture.file} of the package {picture.package}, which is not "
        'installed: run `.venv/bin/pip install -e ".[sample]"` in the checkout.'
    )


def attribution(pictures: Iterable[SourcePicture]) -> str:
    """Returns the text that names each of ``pictures``, its maker and its licence."""
    lines = [
        f"{one.name}: {one.credit}. {one.licence}. ({one.package}/{one.file})"
        for one in pictures
    ]
    return "\n".join(
        [
            "The photos in this folder are crops of these photographs, with exposure, colour, "
            "blur, tilt and noise changed:",
            "",
            *lines,
            "",
        ]
    )
