"""The command `darkroom`: what a researcher types."""

import difflib
import io
import os
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from simulations.environment import OFFLINE, ONE_THREAD

if TYPE_CHECKING:
    from simulations.configuration.settings import Config

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 and the number of the signal, 2."""

os.environ.update(OFFLINE)
for _name, _value in ONE_THREAD.items():
    os.environ.setdefault(_name, _value)
os.environ.pop("HYDRA_FULL_ERROR", None)

import click  # noqa: E402
import typer  # noqa: E402

from simulations.display import machine_faults, usage  # noqa: E402
from simulations.pretraining.stage import Stage  # noqa: E402
from simulations.privacy import privacy_commands  # noqa: E402
from simulations.ranking import arguments, photos_commands  # noqa: E402

HYDRAS_WORDS = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}
app = typer.Typer(
    name="darkroom",
    help="Train a photo ranker on people's devices. The photos never leave them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(photos_commands.app, name="photos")
app.add_typer(privacy_commands.app, name="privacy")


@app.command(context_settings=HYDRAS_WORDS)
def simulate(context: typer.Context) -> None:
    """Train on simulated devices: group=choice, setting=value, Hydra's flags; see simulate -h.

    resume=RUN goes on with a run or study that ended. --flower FILE writes the configuration
    for `flwr run . --run-config FILE` and runs nothing.
    """
    from simulations.configuration.hydra_bridge import run_hydra
    from simulations.configuration.resume_words import resumed_run

    words = [part for word in context.args for part in _parts(word)]
    if "--flower" in words:
        raise typer.Exit(_flower(words))
    if going_on := resumed_run(words):
        raise typer.Exit(_resume(*going_on))
    raise typer.Exit(run_hydra(words, _simulate, ready=_ready))


@app.command()
def pretrain(
    out: Annotated[Path, typer.Option(help="Where the weights go.")] = Path(
        "public.safetensors"
    ),
    seed: Annotated[int, typer.Option(help="Seed of weights and batches.", min=0)] = 0,
    stage: Annotated[Stage, typer.Option(help="What to train.")] = Stage.BOTH,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave a family of context functions out.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(help="ranking.list.width=96 …", metavar="OVERRIDE")
    ] = None,
) -> None:
    """Train public weights on the public split (an hour; --stage list: 10 minutes)."""
    from simulations.pretraining.pretrain import pretrain as train
    from simulations.pretraining.sizes_asked import sizes_asked

    words, left = overrides or [], frozenset(without or ())
    sizes = sizes_asked(words)
    train(out=out, seed=seed, ranking=sizes, stage=stage, without=left, overrides=words)


@app.command()
def plot(
    study: Annotated[
        Path, typer.Argument(help="The folder of a study=comparison.", metavar="STUDY")
    ],
    x: Annotated[str, typer.Option(help="Axis of the grid from left to right.")],
    lines: Annotated[str, typer.Option(help="Axis with a line for each value.")],
    out: Annotated[Path, typer.Option(help="The picture, such as frontier.svg.")],
    panels: Annotated[
        str | None, typer.Option(help="Axis with a panel for each value.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Arms with this value alone.", metavar="AXIS=VALUE")
    ] = None,
) -> None:
    """Draw a study's quality with intervals; needs the extra `plots`."""
    from simulations.studies.study_plot import Axes, draw

    axis, _, value = (only or "").partition("=")
    kept = (axis, value) if only else None
    draw(study, Axes(x=x, lines=lines, panels=panels, only=kept), out=out)
    typer.echo(f"{out}")


@app.command()
def bench(
    out: Annotated[Path | None, typer.Option(help="JSON file of all figures.")] = None,
    quick: Annotated[bool, typer.Option(help="Fewer repetitions, smaller cohorts.")] = False,
    peers: Annotated[bool, typer.Option(help="Also Flower's simulation and pfl.")] = False,
    photographs: Annotated[
        int | None, typer.Option(min=2, help="Only: reading so many photographs, made anew.")
    ] = None,
) -> None:
    """Measure training and rounds on this machine (15 minutes; --quick: 3)."""
    from simulations.benchmarks import benchmark

    if photographs is not None:
        benchmark.bench_photographs(photographs, out=out)
    else:
        benchmark.bench(out=out, quick=quick, peers=peers)


@app.command()
def rank(
    words: arguments.Words = None,
    out: arguments.Out = None,
    force: arguments.Force = False,
    xmp: arguments.Xmp = None,
    encoder: arguments.Encoder = None,
) -> None:
    """Rank the photographs in DIR with a run's model, or the public one, on this machine."""
    run, folder = arguments.run_and_folder(words)
    from simulations.ranking.rank import rank as order

    ranked = order(run, folder, out=out, force=force, xmp=xmp, encoder=encoder)
    for line in ranked.lines():
        typer.echo(line)


@app.command()
def ledger(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="A run folder, a device's own folder, or one ledger's file.", metavar="RUN..."
        ),
    ],
    lines: Annotated[bool, typer.Option(help="Explain every line.")] = False,
    same: Annotated[
        bool,
        typer.Option("--same-population", help="Compose runs whose settings do not say so."),
    ] = False,
) -> None:
    """Verify the ledgers of runs and compute their ε anew; of several also together."""
    from rich.console import Console

    from simulations.ledgers.composed_runs import show_runs

    holds = show_runs(runs, Console(highlight=False), lines=lines, same=same)
    raise typer.Exit(0 if holds else 1)


@app.command()
def checkpoint(run: Annotated[Path, typer.Argument(help="A run's folder.")]) -> None:
    """Show what is inside a run's checkpoints: what it goes on from."""
    from simulations.runs.checkpoints.inside import lines

    typer.echo("\n".join(lines(run)))


@app.command(name="version")
def show_version() -> None:
    """Print the version."""
    typer.echo(version("darkroom"))


def main() -> None:
    """Runs the command; a mistake is one sentence and exit status 1, an interrupt 130.

    So is what the machine refuses: a full disk, a limit, no memory.
    """
    _print_anything()
    words = sys.argv[1:]
    if words == ["--version"]:
        words = ["version"]
    status = _status(words)
    if status == INTERRUPTED:
        _said("interrupted.")
    if complaint := machine_faults.unprinted():
        status = status or _said(complaint)
    sys.exit(status or 0)


def _status(words: list[str]) -> int:
    try:
        with machine_faults.told():
            if words[:1] == ["-sc"]:
                return _completion(words)
            _refuse_unknown_command(words)
            status: int = app(words, standalone_mode=False, prog_name="darkroom")
            return status
    except UnicodeError:
        raise
    except ValueError as failure:
        return _said(str(failure))
    except click.ClickException as failure:
        sentence = usage.sentence(failure)
        return _said(sentence) if sentence else 0


def _print_anything() -> None:
    """Lets a terminal without Greek letters show their numbers instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _simulate(config: "Config", overrides: tuple[str, ...]) -> int:
    from simulations.simulate import simulate as run

    with machine_faults.told():
        return run(config, overrides=overrides)


def _resume(run: Path, overrides: list[str]) -> int:
    from simulations.simulate import resume

    return resume(run, overrides=overrides)


def _ready(config: "Config") -> object:
    from simulations.configuration.preflight import ready

    return ready(config)


def _completion(words: list[str]) -> int:
    """Answers the shell as Hydra does, which knows nothing of the word `simulate`."""
    from simulations.configuration.hydra_bridge import run_hydra

    line = os.environ.get("COMP_LINE", "")
    os.environ["COMP_LINE"] = line.replace(" simulate ", " ", 1)
    return run_hydra(words, _simulate, ready=_ready)


def _parts(word: str) -> list[str]:
    flag, _, value = word.partition("=")
    return [flag, value] if flag == "--flower" and value else [word]


def _flower(words: list[str]) -> int:
    from simulations.configuration.hydra_bridge import compose
    from simulations.display.typed import command
    from simulations.runs.flower_config import write_run_config

    place = words.index("--flower")
    if place + 1 == len(words):
        raise ValueError("--flower needs a file: darkroom simulate --flower run.toml")
    file = Path(words[place + 1])
    write_run_config(compose(words[:place] + words[place + 2 :]), file)
    typer.echo(f"Next: {command('flwr', 'run', '.', '--stream', '--run-config', str(file))}")
    return 0


def _refuse_unknown_command(words: list[str]) -> None:
    known = list(typer.main.get_group(app).commands)
    if words and not words[0].startswith("-") and words[0] not in known:
        near = difflib.get_close_matches(words[0], known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"'{words[0]}' is not a command.{hint} See: darkroom --help")


def _said(sentence: str) -> int:
    with suppress(OSError):
        print(f"darkroom: {sentence}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    main()
