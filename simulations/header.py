"""What will run, in words, before it runs."""

from importlib.metadata import version

from rich.console import Console
from rich.text import Text

from server.work import mechanism
from simulations.console import spent
from simulations.run_folder import RunFolder
from simulations.settings import Config


def show(config: Config, folder: RunFolder, console: Console, *, devices: int) -> None:
    """Prints the header of a run over ``devices`` training devices."""
    console.print(
        Text.assemble(
            ("darkroom ", "bold"),
            version("darkroom"),
            f"   {config.name}   seed {config.seed}   {folder.path}",
        )
    )
    for name, line in _lines(config, devices):
        console.print(Text.assemble(f"  {name:<10}", line))


def _lines(config: Config, devices: int) -> list[tuple[str, str]]:
    training, server = config.training, config.server
    weights = config.ranking.weights or "random"
    return [
        (
            "photos",
            f"{config.photos.source}: {devices} devices train, "
            f"{config.photos.held_out_devices} never do",
        ),
        (
            "ranking",
            f"{config.ranking.trained} trained from {weights} weights, "
            f"{config.ranking.loss} loss",
        ),
        (
            "training",
            f"{server.rounds} rounds, {server.cohort:g} devices expected in each; a visit is "
            f"{training.steps} steps, each moment with probability {training.rate:g}",
        ),
        *_privacy(config),
    ]


def _privacy(config: Config) -> list[tuple[str, str]]:
    example = config.privacy.example
    chosen = mechanism(config.training, example)
    if chosen is None or example.max_participations is None:
        return [("privacy", "none: the server learns what it likes from an update")]
    epsilon = chosen.epsilon(example.max_participations)
    promise = (
        f"ε ≤ {spent(epsilon)} at δ = {chosen.delta:g} for each moment of a device that "
        f"takes part {example.max_participations} times"
    )
    lines = [
        ("privacy", promise),
        ("", "against anyone who sees every update, the server included"),
        ("", f"noise {chosen.noise_multiplier:.2f} × clip {chosen.clip:g}, on the device"),
    ]
    if config.privacy.noise == "insecure_seeded":
        lines.append(("", "the noise follows from the seed: this ε is not a claim"))
    return lines
