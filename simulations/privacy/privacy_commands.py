"""The commands `darkroom privacy …`: what ε costs before anything runs."""

from typing import Annotated

import typer

from simulations.privacy.question import Asked, Unit

app = typer.Typer(help="Privacy before anything runs.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `plan` a command of its own, though it is the only one."""


@app.command()
def plan(
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Same as for simulate.", metavar="OVERRIDE")
    ] = None,
    solve: Annotated[Asked | None, typer.Option(help="Print one number only.")] = None,
    unit: Annotated[Unit | None, typer.Option(help="What is protected.")] = None,
    epsilon: Annotated[float | None, typer.Option(help="Instead of the run's.")] = None,
    noise: Annotated[
        float | None, typer.Option(help="Multiplier, instead of the run's.")
    ] = None,
) -> None:
    """Print what each ε would cost a run in noise, rounds and cohort; nothing runs."""
    from rich.console import Console

    from simulations.configuration.hydra_bridge import compose

    config = compose(overrides or [])
    if solve is None:
        from simulations.privacy.table import show

        show(config, Console(highlight=False))
        return
    from simulations.privacy import solution

    known = solution.Known.of(config, unit=unit, epsilon=epsilon, noise=noise)
    value = solution.solved(solve, known)
    typer.echo(solution.sentence(solve, value, known))
