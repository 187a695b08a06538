"""The ranker's file: safetensors, and a digest without which flipped bits pass unnoticed."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from protocol.rebuild import section, shown, to_plain
from ranking.encoders import ENCODERS
from ranking.header import damaged, missing
from ranking.model.lora import under_adapters
from ranking.model.ranker import Ranker
from ranking.parameters import tensors_digest
from ranking.settings import AnyRanking, Lora, Ranking

ENCODER = "encoder."

FORMAT = 3
"""Version of the file's metadata, kept in it. Raise it when a field of ``Origin`` or the digest
changes: a file of another version is then refused in one sentence, not misread. A field that
older files lack needs a default instead, which says that it is unknown."""

TRAINING = ("darkroom simulate, ", "flwr run")
"""How the commands begin that train on devices: files that name no run are known by them."""

UNNAMED = "a run that its file does not name"
"""In place of the name of a run, of files of before it was written down."""

ONE_ENCODER = 2
"""The version before, of when there was one kind of encoder: such files are read all the same,
for the public weights are one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where weights come from; it is kept in their file.

    Attributes:
        seed: The run's seed; None where it is not released, for cohorts and held-out moments
            may follow from it.
        command: The command that made the file.
        ranking: The model, and the part of it that was trained; ``lora`` files hold adapters.
            It names no weights: those are in the file.
        side: Pixels of the photos' side in training.
        photos: The photo source of training, such as ``synthetic``; None where it is unknown,
            as for files of before this was written down.
        runs: The runs on whose devices they were trained, each started from the one before;
            none where there was none, or where the file is of before this was written down.
    """

    seed: int | None
    command: str
    ranking: Ranking
    side: int
    photos: str | None = None
    runs: tuple[str, ...] = ()

    @property
    def of_a_run(self) -> bool:
        """Whether devices of a run trained them: their privacy was spent for it."""
        return bool(self.runs) or self.command.startswith(TRAINING)

    def facts(self) -> str:
        """Returns the same in JSON, as the file has it."""
        facts = to_plain(self) | {"ranking": to_plain(self.ranking.unweighted())}
        return json.dumps({"format": FORMAT, **facts}, sort_keys=True)

    @classmethod
    def of(cls, facts: str) -> Self:
        """Reads what ``facts`` wrote, of this format or the one before.

        Raises:
            ValueError: It is of another.
        """
        plain = json.loads(facts)
        written = plain.pop("format")
        if written == ONE_ENCODER:
            plain["ranking"]["encoder"]["kind"] = "drawn"
        elif written != FORMAT:
            raise ValueError("the format is another")
        ranking = section(json.dumps(plain), "ranking", AnyRanking)
        runs = tuple(plain.get("runs", ()))
        return cls(**{**plain, "ranking": ranking, "runs": runs})


def public_weights_path(kind: str = "drawn") -> Path:
    """Returns the path of the ranker that ships with Darkroom for an encoder of this kind.

    Of a kind that has none it is the one for photographs, which is refused by its encoder.
    """
    return ENCODERS[kind].public


def save_weights(ranker: Ranker, path: Path, *, origin: Origin) -> None:
    """Writes every parameter; a crash leaves the former file or the new one, whole.

    Args:
        ranker: The ranker.
        path: Replaced if it is there; its folder must exist.
        origin: Kept in the file.

    Raises:
        OSError: It cannot be written; nothing is left of it.
    """
    tensors = {name: value.contiguous() for name, value in ranker.state_dict().items()}
    known = replace(origin.ranking, encoder=ranker.encoder.settings)
    facts = replace(origin, ranking=known).facts()
    metadata = {"darkroom": facts, "sha256": tensors_digest(tensors, facts=facts)}
    content = save(tensors, metadata=metadata)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as failure:
        # A write or a sync does not know the name of its file.
        raise OSError(failure.errno, failure.strerror, str(path)) from failure
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load_weights(ranker: Ranker, path: Path) -> Origin:
    """Copies a file's weights into ``ranker`` and returns where they come from.

    A ranker with adapters also takes a file without: its adapters stay as they are.

    Raises:
        ValueError: The file is missing, damaged, not finite, or of another model; nothing is
            copied.
    """
    origin, tensors = _read(path)
    file = origin.ranking
    _check_sizes(
        path,
        ("ranking.encoder", file.encoder, ranker.encoder.settings.portable()),
        ("ranking.list", file.list, ranker.list_ranker.sizes),
    )
    state = ranker.state_dict()
    if file.trained != "lora":
        tensors = under_adapters(tensors, state)
    if {name: value.shape for name, value in tensors.items()} != {
        name: value.shape for name, value in state.items()
    }:
        rank = f" of ranking.rank={file.rank}" if isinstance(file, Lora) else ""
        raise ValueError(
            f"{path} holds the weights of another model (ranking={file.trained}{rank}): "
            "set ranking= and ranking.weights to match."
        )
    ranker.load_state_dict(tensors)
    return origin


def load_encoder(ranker: Ranker, path: Path) -> None:
    """Copies a file's encoder into ``ranker``, whose list model may be another.

    Raises:
        ValueError: The file is missing, damaged, or of an encoder of other sizes; nothing is
            copied.
    """
    origin, tensors = _read(path)
    asked = ranker.encoder.settings.portable()
    _check_sizes(path, ("ranking.encoder", origin.ranking.encoder, asked))
    named = {name: value for name, value in tensors.items() if name.startswith(ENCODER)}
    ranker.encoder.load_state_dict(
        {name.removeprefix(ENCODER): value for name, value in named.items()}
    )


def _check_sizes(path: Path, *sizes: tuple[str, object, object]) -> None:
    """Refuses sizes of a file that are not those asked for: (section, of the file, asked).

    Of another kind of list model the kind is named, and what both kinds have.
    """
    plain = [(at, to_plain(own), to_plain(asked)) for at, own, asked in sizes]
    others = [
        f"{_typed(at, name)}={shown(asked[name])} where the file has {shown(value)}"
        for at, own, asked in plain
        for name, value in own.items()
        if name in asked and asked[name] != value
    ]
    if others:
        raise ValueError(
            f"{path} holds weights of other sizes: {', '.join(others)}; set these as the file "
            "has them, name other weights, or make some with `darkroom pretrain`."
        )


def _typed(section: str, name: str) -> str:
    """What is typed to choose it: a kind is the choice of a group."""
    return section.replace(".", "/") if name == "kind" else f"{section}.{name}"


def read_origin(path: Path) -> Origin:
    """Returns where a file's weights come from, verified as by ``load_weights``."""
    return _read(path)[0]


def runs_before(weights: str | None) -> tuple[str, ...]:
    """Returns the runs on whose devices start weights were trained, by what their file says.

    Args:
        weights: As ``ranking.weights`` has it.

    Raises:
        ValueError: It names a file that is missing or damaged.
    """
    if weights in (None, "public"):
        return ()
    origin = read_origin(Path(weights))
    return origin.runs or ((UNNAMED,) if origin.of_a_run else ())


def _read(path: Path) -> tuple[Origin, dict[str, Tensor]]:
    if not path.is_file():
        raise missing(path)
    try:
        origin, tensors = _verified(path)
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise damaged(path) from None
    _check_finite(path, tensors)
    return origin, tensors


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuses weights of a training that went astray: nothing follows from them."""
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise ValueError(
            f"{path} holds numbers that are not finite, for the training that made it "
            "diverged: name other weights."
        )


def _verified(path: Path) -> tuple[Origin, dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    facts = metadata["darkroom"]
    if metadata["sha256"] != tensors_digest(tensors, facts=facts):
        raise ValueError("the digest differs")
    return Origin.of(facts), tensors
