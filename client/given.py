"""What a device is given, by its owner and by the run, and what its own log says of it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from flwr.app import Context

from client.consent.derivation_limit import within_limit
from client.consent.floor import Floor
from client.consent.operator import OperatorPolicy, read_policy
from client.consent.simulated import simulated
from client.context import configuration, device_number, state_of
from client.own_sections import own_sections
from client.sections import DeviceSections, read_sections
from privacy.ledger.chain import LedgerError
from protocol.messages import Declined, LeftOut
from protocol.rebuild import SettingError

if TYPE_CHECKING:
    from client.consent.device_ledger import DeviceLedger

COSTLY = (
    "scipy.fft",
    "scipy.optimize",
    "scipy.signal",
    "scipy.special",
    "scipy.stats",
    "torch",
)
log = logging.getLogger(__name__)
shown = logging.getLogger("flwr.darkroom")
"""A child of Flower's, which a SuperNode shows from the level *info* on."""


def policy(context: Context) -> OperatorPolicy:
    """Returns what the operator demands."""
    with _logged(SettingError):
        return read_policy(context.node_config)


def agreed(context: Context) -> bool:
    """Says whether the device may train under this configuration; nothing is derived of it."""
    from client.consent.configured_floor import agrees

    before = state_of(context).configuration
    return agrees(configuration(context), policy(context), before=before)


def sections(context: Context) -> DeviceSections:
    """Returns the run's configuration with what is the device's own."""
    demanded = policy(context)
    with _logged(ValueError):
        run = read_sections(configuration(context))
        return own_sections(run, demanded, simulated=simulated(context))


def number(context: Context) -> int:
    """Returns which device this node is."""
    with _logged(SettingError):
        return device_number(context)


def floor(context: Context, demanded: OperatorPolicy) -> Floor:
    """Returns what the device demands of any task; a simulation has as long as it wants.

    Raises:
        SettingError: The configuration makes it too costly.
    """
    from client.consent import configured_floor

    text = configuration(context)
    with _logged(ValueError):
        if simulated(context):
            return configured_floor.floor(text, demanded)
        _import(private=read_sections(text).private)
        return within_limit(lambda: configured_floor.floor(text, demanded))


def _import(*, private: bool) -> None:
    """What takes long to import is no cost of a configuration's."""
    for name in COSTLY if private else ():
        import_module(name)


@contextmanager
def ledger(context: Context, demanded: OperatorPolicy) -> "Iterator[DeviceLedger]":
    """The device's own ledger, where its operator names a folder."""
    from client.consent.device_ledger import device_ledger

    text, device = configuration(context), device_number(context)
    with _logged(LedgerError), device_ledger(demanded.ledger, text, device=device) as opened:
        yield opened


def say_declined(context: Context, answer: Declined) -> None:
    """Logs why the device does not take part."""
    from client.consent.configured_floor import configuration_digest
    from client.consent.spoken import declined

    if not simulated(context):
        digest = configuration_digest(configuration(context))
        only = policy(context).config_digest or state_of(context).configuration
        log.warning("%s", declined(answer.reason, configuration=digest, agreed=only))


def say_visit(context: Context, *, visits: int) -> None:
    """Logs what the device has shown when this visit is over."""
    from client.consent.spoken import spent

    if not simulated(context):
        for sentence in spent(configuration(context), visits):
            shown.info("darkroom: %s", sentence)


def say_left_out(context: Context, reason: LeftOut) -> None:
    """Logs why the server asks nothing of the device."""
    from client.consent.spoken import left_out

    log.error("%s", left_out(reason, number=device_number(context)))


@contextmanager
def _logged(kind: type[Exception]) -> Iterator[None]:
    """The operator reads in the device's own log what is wrong with what they gave."""
    try:
        yield
    except kind as failure:
        log.error("the device takes part in nothing: %s", failure)
        raise
