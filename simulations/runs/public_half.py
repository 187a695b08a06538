"""The half of a run's folder that may be shared: a list of what is let through, no more.

Whoever holds it learns the released model, public settings and what the run's ε already covers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any

from ranking.weights import Origin, runs_before
from simulations.configuration.settings import Config
from simulations.privacy.card import Guarantee
from simulations.runs.run_folder import CARD, CONFIG, RunFolder, json_of, yaml_of
from simulations.runs.whole_files import write_whole

SECTIONS = ("photos", "ranking", "training", "server", "privacy")
"""Public terms. ``simulation`` and ``study`` say how this machine ran; from the seed follow the
held-out moments, cohorts without secret coins and seeded noise."""

WORDS_FOR_WEIGHTS = ("public", None)


def may_be_shared(promises: Sequence[Guarantee]) -> bool:
    """Says whether a run has a promise under which its model may be handed on.

    A run without one has no public half, nor has one whose noise falls with a guessed seed.
    """
    return any(one.claim and isfinite(one.epsilon) for one in promises)


def begin(folder: RunFolder) -> Path:
    """Makes the public half of a run and returns it."""
    folder.public.mkdir()
    return folder.public


def write(folder: RunFolder, *, config: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Writes settings and card, as ``of_config`` and ``of_card`` have them."""
    write_whole(folder.public / CONFIG, yaml_of(config))
    write_whole(folder.public / CARD, json_of(card))


def of_config(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the public settings of a resolved configuration: what every device is given.

    The name stays, for the researcher chose it to be read. Neither the seed nor a path does.
    """
    shared: dict[str, Any] = {"name": plain["name"]}
    for section in SECTIONS:
        shared[section] = {
            key: value
            for key, value in plain[section].items()
            if not _of_a_machine(section, key, value)
        }
    encoder = shared["ranking"]["encoder"].items()
    shared["ranking"]["encoder"] = {key: value for key, value in encoder if key != "file"}
    if plain["ranking"]["weights"] in WORDS_FOR_WEIGHTS:
        shared["ranking"]["weights"] = plain["ranking"]["weights"]
    return shared


def _of_a_machine(section: str, name: str, value: Any) -> bool:
    """Whether a setting may hold a path, and with it a user's name.

    A photo source of any kind may, in any but a number.
    """
    if section == "photos":
        return name != "source" and not isinstance(value, int | float | None)
    return (section, name) == ("ranking", "weights")


def of_card(card: Mapping[str, Mapping[str, Any]], *, config: Config) -> dict[str, Any]:
    """Returns what of a card follows from public settings and from the number of rounds.

    Where devices pay for their own visits, the worst and the middle one show how often devices
    came, and so does the length of their ledger; its hash could be tried for every cohort.
    Where the server adds the noise, every device pays for every round: the ε as it ran and the
    ledger's head follow from the rounds.
    """
    return {unit: _shared(one, by_round=_by_round(unit, config)) for unit, one in card.items()}


def origin(config: Config, *, command: str, run: str) -> Origin:
    """Returns what a model's file says of where it comes from; its seed is left out.

    The heads of the run's ledgers are left out as well: who holds one can try cohorts. The
    run's ``parts.json`` names the file and the card, and the card the heads.
    """
    return Origin(
        seed=None,
        command=command,
        ranking=config.ranking,
        side=config.photos.side,
        photos=config.photos.source,
        runs=(*runs_before(config.ranking.weights), run),
    )


def _shared(one: Mapping[str, Any], *, by_round: bool) -> dict[str, Any]:
    promised = [field.name for field in fields(Guarantee)]
    kept = [*promised, *(("as_it_ran", "ledger") if by_round else ())]
    shared = {key: value for key, value in one.items() if key in kept}
    both = one.get("with_earlier")
    # Of the runs before what they promised: what they cost shows how often devices came.
    before = {key: both[key] for key in ("runs", "promised")} if both else None
    return shared if before is None else {**shared, "with_earlier": before}


def _by_round(unit: str, config: Config) -> bool:
    return unit == "device" and config.privacy.device.at_server
