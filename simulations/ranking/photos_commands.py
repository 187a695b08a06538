"""The commands `darkroom photos …`: photographs to train on."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from simulations.display.typed import command, setting

DEVICES, COHORT = 72, 48
"""Devices of a sample and of a round in experiment=real-photos, which holds a third out."""

app = typer.Typer(help="Photographs to train on.", no_args_is_help=True)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="A new folder.", metavar="DIR")],
    devices: Annotated[int, typer.Option(min=2, max=1000)] = DEVICES,
    moments: Annotated[int, typer.Option(min=2, max=1000)] = 12,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    version: Annotated[int, typer.Option(min=1, max=2)] = 1,
) -> None:
    """Write a small library of real photographs, to try experiment=real-photos."""
    from photos.sample.sample import held_out_devices, write_sample

    write_sample(folder, devices=devices, moments=moments, seed=seed, version=version)
    typer.echo(f"{folder}: {devices} devices with {moments} moments each")
    words = [
        "experiment=real-photos",
        setting("photos.root", str(folder)),
        *_sizes(devices, held_out_devices(devices)),
    ]
    typer.echo(f"Next: {command('darkroom', 'simulate', *words)}")


def _sizes(devices: int, held_out: int) -> tuple[str, ...]:
    """What a sample of another size than the experiment's asks to be set."""
    if devices == DEVICES:
        return ()
    cohort = min(COHORT, devices - held_out)
    return f"photos.held_out_devices={held_out}", f"server.cohort={cohort}"


@app.command()
def inspect(
    folder: Annotated[Path, typer.Argument(help="The folder of your photos.", metavar="DIR")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="photos.gap=60 …", metavar="OVERRIDE")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A PNG file of moments and bursts.")] = None,
    force: Annotated[bool, typer.Option(help="Replace that file.")] = False,
) -> None:
    """Show what photos=library reads from where, before anything is trained."""
    from photos.owned.settings import LibraryPhotos
    from simulations.configuration.hydra_bridge import compose
    from simulations.ranking.inspection import inspect as look

    photos = compose(["photos=library", "photos.root=DIR", *(overrides or ())]).photos
    if not isinstance(photos, LibraryPhotos):
        raise ValueError("`darkroom photos inspect` is for photos=library; leave photos out.")
    for line in look(replace(photos, root=str(folder)), out=out, force=force).lines():
        typer.echo(line)
