"""What will run, in words, before it runs."""

from importlib.metadata import version

from rich.console import Console
from rich.text import Text

from photos.source import Catalogued
from privacy.protection.derivation import Protection
from simulations.configuration.preflight import Prepared
from simulations.configuration.settings import Config
from simulations.privacy import card
from simulations.runs.earlier import with_earlier
from simulations.runs.earlier.earlier_runs import NONE, EarlierRuns
from simulations.runs.run_folder import RunFolder


def show(
    config: Config,
    folder: RunFolder,
    console: Console,
    *,
    prepared: Prepared,
    earlier: EarlierRuns = NONE,
) -> None:
    """Prints the header of a run.

    Args:
        config: What will run.
        folder: Where its files go.
        console: Where to print.
        prepared: The devices, and what protects them.
        earlier: What the start weights have cost them before.
    """
    console.print(
        Text.assemble(
            ("darkroom ", "bold"),
            version("darkroom"),
            f"   {config.name}   seed {config.seed}   {folder.path}",
        ),
        soft_wrap=True,
    )
    for name, line in _lines(config, prepared, earlier):
        console.print(Text.assemble(f"  {name:<10}", line))


def _lines(config: Config, prepared: Prepared, earlier: EarlierRuns) -> list[tuple[str, str]]:
    source = prepared.source
    photos, training, server = config.photos, config.training, config.server
    weights = with_earlier.start(earlier, weights=config.ranking.weights or "random")
    return [
        (
            "photos",
            f"{photos.source}: {source.devices} devices train, "
            f"{source.held_out_devices} never do",
        ),
        *(("", line) for line in _of_photographs(prepared)),
        (
            "ranking",
            f"{config.ranking.trained} from {weights} weights over encoder "
            f"{config.ranking.encoder.kind}, {config.ranking.loss} loss",
        ),
        ("rounds", f"{server.rounds}, each with {server.cohort:g} devices expected"),
        (
            "training",
            f"{training.steps} steps a visit, each moment with probability {training.rate:g}",
        ),
        *_privacy(config, prepared.protection, earlier),
    ]


def _of_photographs(prepared: Prepared) -> list[str]:
    """What is in all libraries, and what was left out: known in a simulation only.

    Of a public set it is what its tables leave out: to open all of its photos takes hours.
    """
    if isinstance(prepared.source, Catalogued):
        skipped = prepared.source.skipped
        return [
            *prepared.source.notes,
            *(f"skipped {count}: {reason}" for reason, count in skipped.items()),
        ]
    return prepared.survey.lines() if prepared.survey else []


def _privacy(
    config: Config, protection: Protection, earlier: EarlierRuns
) -> list[tuple[str, str]]:
    promises = card.promises(protection, moments=round(config.training.reference_size))
    if not promises:
        return [("privacy", "none: an update tells the server a great deal")]
    paragraphs = [card.lines(promise) for promise in promises]
    if "device" not in {promise.unit for promise in promises}:
        paragraphs.append(
            ["no ε of its own for a whole library: privacy/device=gaussian has one"]
        )
    paragraphs.append(with_earlier.lines(earlier, protection))
    return [
        ("" if number or place else "privacy", line)
        for number, lines in enumerate(paragraphs)
        for place, line in enumerate(lines)
    ]
