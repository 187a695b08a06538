"""The kinds of photo encoders: their settings, without the modules that they describe."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Interval

from protocol.choices import OneOf
from ranking.sizes import Depth, Heads, heads_flaw

STEP = 32
"""A drawn encoder's width is a multiple of it: a quarter and a half of it are the stem's
channels, which are normalised in groups."""

COLOURS = 3
"""Of a photo: red, green and blue."""

FEATURES = 224
"""Features of a photo before their projection in ``real``: mean and deviation of each channel
of four levels, of 32, 16, 24 and 40 channels. There are as many components as features."""

FOR_DRAWINGS, FOR_PHOTOGRAPHS = (
    Path(__file__).with_name(f"{name}.safetensors") for name in ("public", "public-real")
)
"""The public rankers: over drawings, and over photographs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderSettings:
    """What turns a photo into an embedding.

    Attributes:
        kind: Which encoder: the name of the file in ``ranking.model.encoders`` that builds it.
        trainable: Whether ``ranking=all`` may train it.
        shipped: Whether its weights are a file of Darkroom's own.
        external: Whether it is the user's own, which must be found where it is asked.
        public: The file of the public ranker whose list model was taught on such photos.
    """

    kind: str
    trainable: ClassVar[bool] = False
    shipped: ClassVar[bool] = False
    external: ClassVar[bool] = False
    public: ClassVar[Path] = FOR_PHOTOGRAPHS

    @property
    def file_digest(self) -> str | None:
        """Hexadecimal SHA-256 of the file that it is; None of what is no file of a user's."""
        return None

    def flaw(self) -> str:
        """Returns what is wrong with the settings, in one sentence, or ""."""
        return ""

    def refuses(self, side: int) -> str:
        """Returns why photos of so many pixels a side are not taken, in one sentence, or ""."""
        return ""

    def portable(self) -> Self:
        """Returns the same without what only this machine knows, such as a path."""
        return self

    def of_device(self, file: Path | None) -> Self:
        """Returns the same as a device has it.

        Args:
            file: The encoder's file that the device's owner names; None for none.

        Raises:
            ValueError: The device needs one; one sentence.
        """
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn(EncoderSettings):
    """Convolutions and a transformer, pre-trained on drawn photos.

    Attributes:
        width: Numbers of an embedding, and of a place between its layers; a multiple of 32.
        depth: Transformer blocks.
        heads: Attention heads; they divide the width.
    """

    kind: Literal["drawn"] = "drawn"
    trainable: ClassVar[bool] = True
    public: ClassVar[Path] = FOR_DRAWINGS
    width: Annotated[int, Interval(ge=32, le=1_024)]
    depth: Depth
    heads: Heads

    def flaw(self) -> str:
        """Returns what is wrong with the settings, in one sentence, or ""."""
        if self.width % STEP:
            return f"ranking.encoder.width={self.width} is no multiple of {STEP}; take one."
        return heads_flaw("ranking.encoder", self.width, self.heads)


@dataclass(frozen=True, kw_only=True, slots=True)
class Real(EncoderSettings):
    """Early layers of a network that was trained on photographs.

    Attributes:
        width: Numbers of an embedding: the first principal components of its features.
    """

    kind: Literal["real"] = "real"
    shipped: ClassVar[bool] = True
    width: Annotated[int, Interval(ge=1, le=FEATURES)]


@dataclass(frozen=True, kw_only=True, slots=True)
class External(EncoderSettings):
    """An encoder of the user's own: it is never sent, and known by its digest.

    It is given photos as (colour - mean) / deviation, colours in [0, 1].

    Attributes:
        side: Pixels of a photo's side that it takes.
        mean: Of red, green and blue.
        deviation: Of red, green and blue.
        width: Numbers of an embedding; null until it was asked.
        digest: Hexadecimal SHA-256 of what it is: no other is taken. Null until it was asked.
    """

    kind: str
    external: ClassVar[bool] = True
    side: Annotated[int, Interval(ge=16, le=256)]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    width: Annotated[int, Interval(ge=1, le=4_096)] | None
    digest: str | None

    @property
    def place(self) -> str:
        """Where it is found."""
        raise NotImplementedError

    @property
    def called(self) -> str:
        """What it is called in a refusal."""
        raise NotImplementedError

    @property
    def identity(self) -> str:
        """Hexadecimal SHA-256 of what it is and of how it is asked: what an embedding is."""
        asked = [self.kind, self.digest, self.side, self.mean, self.deviation]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def flaw(self) -> str:
        """Returns what is wrong with the settings, in one sentence, or ""."""
        for name, values in (("mean", self.mean), ("deviation", self.deviation)):
            if len(values) != COLOURS:
                return (
                    f"ranking.encoder.{name} has {len(values)} numbers, and a photo three "
                    "colours; give one for each, as [0.5, 0.5, 0.5]."
                )
        if min(self.deviation) <= 0:
            return (
                f"ranking.encoder.deviation={list(self.deviation)} divides colours; give "
                "numbers above 0."
            )
        return ""

    def refuses(self, side: int) -> str:
        """Returns why photos of so many pixels a side are not taken, in one sentence, or ""."""
        if side == self.side:
            return ""
        return (
            f"photos.side={side} and ranking.encoder.side={self.side} differ, and no photo is "
            "resized between them: make them the same."
        )

    def pinned(self, *, width: int, digest: str) -> Self:
        """Returns the same, knowing what it is; what was known stays."""
        return replace(
            self,
            width=width if self.width is None else self.width,
            digest=digest if self.digest is None else self.digest,
        )

    def unpinned(self) -> Self:
        """Returns the same, knowing neither width nor digest."""
        return replace(self, width=None, digest=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class OnnxFile(External):
    """An encoder in an ONNX file.

    Attributes:
        file: The file; a device has its own.
    """

    kind: Literal["onnx"] = "onnx"
    file: str

    @property
    def place(self) -> str:
        """Same as ``file``."""
        return self.file

    @property
    def called(self) -> str:
        """What it is called in a refusal."""
        return f"ranking.encoder.file={self.file}"

    @property
    def file_digest(self) -> str | None:
        """Same as ``digest``."""
        return self.digest

    def portable(self) -> Self:
        """Returns the same without the file's path."""
        return replace(self, file="")

    def of_device(self, file: Path | None) -> Self:
        """Returns the same with the device's own file."""
        if file is None:
            raise ValueError(
                "node-config: 'encoder' is missing, and the run embeds photos by an ONNX file, "
                f"of SHA-256 {self.digest}: give it the absolute path of that file here."
            )
        return replace(self, file=str(file))


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledModule(External):
    """An encoder in a package that is installed.

    Attributes:
        name: Its entry point in the group ``darkroom.encoders``.
    """

    kind: Literal["module"] = "module"
    name: str

    @property
    def place(self) -> str:
        """Same as ``name``."""
        return self.name

    @property
    def called(self) -> str:
        """What it is called in a refusal."""
        return f"ranking.encoder.name={self.name}"


ENCODERS: Mapping[str, type[EncoderSettings]] = MappingProxyType(
    {"drawn": Drawn, "real": Real, "onnx": OnnxFile, "module": InstalledModule}
)
"""The settings of each kind, by its name."""

AnyEncoder = Annotated[EncoderSettings, OneOf("kind", ENCODERS)]
"""The section ``ranking.encoder``: one of them, by its kind."""
