"""Where a run goes on: read from its folder, and refused before anything is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from privacy.ledger.chain import Examination, Files, Head, examine
from privacy.ledger.records import Charge, Noise
from privacy.ledger.resumed import check_terms, later_lines
from privacy.ledger.totals import NOTHING, Spent
from privacy.mechanisms.base.unit_settings import Protected
from privacy.protection.derivation import Protection
from protocol.rebuild import to_plain
from server.rounds.state import Resumption
from simulations.configuration.settings import Config
from simulations.runs.checkpoints.checkpoint import Checkpoint
from simulations.runs.checkpoints.checkpoint_folder import CheckpointFolder
from simulations.runs.resuming.changes import refuse_others
from simulations.runs.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Resumed:
    """A run that ended before its time, and where it goes on.

    Attributes:
        checkpoint: What it goes on from; None where it never came to its first.
        spent: What each unit has spent, as the run counts on from there.
        visits: How often a device has visited.
        server: Where the server goes on.
        sentences: What is to be said of it: what was lost, and what that costs.
    """

    checkpoint: Checkpoint | None
    spent: Mapping[str, Spent]
    visits: Callable[[int], int]
    server: Resumption
    sentences: tuple[str, ...] = ()

    @property
    def heads(self) -> Mapping[str, Head]:
        """Where each unit's ledger ended then."""
        return {} if self.checkpoint is None else self.checkpoint.heads


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Charged:
    """What the ledger of one unit says of a run that goes on.

    Attributes:
        now: All that is spent.
        then: What was spent at the checkpoint, and what is unreadable.
        later: Charges after the checkpoint.
    """

    now: Spent
    then: Spent
    later: tuple[Charge, ...]


def resumed(folder: RunFolder, config: Config, protection: Protection, *, size: int) -> Resumed:
    """Returns where the run in ``folder`` goes on. Nothing is written.

    Under secure noise a round that was charged and not kept is drawn afresh, as its next
    attempt, and charged again; where the server adds the noise, it comes out of the run's
    rounds, so that its ε stays below what was promised. Under seeded noise the same bits are
    released again, which the charge that stands there has paid for.

    Args:
        folder: Of the run.
        config: What is to go on.
        protection: What protects it.
        size: Trained parameters of the model.

    Raises:
        ValueError: It cannot go on, or not under any ε that is known; one sentence.
    """
    loaded = CheckpointFolder(folder.checkpoints).load()
    checkpoint = loaded.checkpoint
    if checkpoint is not None:
        _check_own(folder, config, checkpoint, size=size)
    charged = _charged(folder, protection, checkpoint)
    if checkpoint is None:
        _check_never_begun(folder, charged)
    _check_repeatable(folder, protection, charged, checkpoint, lost=loaded.lost)
    afresh = protection.claim
    return Resumed(
        checkpoint=checkpoint,
        spent={unit: one.now if afresh else one.then for unit, one in charged.items()},
        visits=_visits(protection, charged, afresh=afresh),
        server=_server(protection, charged, checkpoint),
        sentences=(*_of_damage(loaded.lost, checkpoint), *_of_replays(protection, charged)),
    )


def ledgers_of(folder: RunFolder, protection: Protection) -> dict[str, Spent]:
    """Returns what the ledger of each unit says that is spent, where it was begun.

    Raises:
        LedgerError: One does not verify.
    """
    there = (unit for unit in protection.units if _files(folder, unit).ledger.exists())
    return {unit: examine(folder.ledgers, unit).spent for unit in there}


def _files(folder: RunFolder, unit: str) -> Files:
    return Files(folder=folder.ledgers, name=unit)


def _charged(
    folder: RunFolder, protection: Protection, checkpoint: Checkpoint | None
) -> dict[str, _Charged]:
    heads: Mapping[str, Head] = {} if checkpoint is None else checkpoint.heads
    noise: Noise = "secure" if protection.claim else "insecure_seeded"
    found = {}
    for unit, one in protection.units.items():
        kept = heads.get(unit)
        if kept is not None or _files(folder, unit).ledger.exists():
            ledger = examine(folder.ledgers, unit, kept=kept)
            check_terms(ledger, one.mechanism.terms(noise=noise), _files(folder, unit))
            found[unit] = _of_ledger(ledger, kept)
    return found


def _of_ledger(found: Examination, kept: Head | None) -> _Charged:
    later = later_lines(found, kept)
    earlier = found.lines[: len(found.lines) - len(later)]
    torn = [] if found.unknown is None else [found.unknown]
    unreadable = [line.record for line in later if not isinstance(line.record, Charge)]
    return _Charged(
        now=found.spent,
        then=NOTHING.plus([*(line.record for line in earlier), *unreadable, *torn]),
        later=tuple(line.record for line in later if isinstance(line.record, Charge)),
    )


def _check_own(folder: RunFolder, config: Config, checkpoint: Checkpoint, *, size: int) -> None:
    """Refuses a checkpoint of other settings, another version or another model."""
    path, found = folder.checkpoints, checkpoint.server.parameters.size
    refuse_others(checkpoint.config, to_plain(config), where=f"{path}")
    if checkpoint.code != version("darkroom"):
        raise ValueError(
            f"{path} is of darkroom {checkpoint.code} and this is {version('darkroom')}, which "
            "may compute other bits; go on with the version that the run began with."
        )
    if found != size:
        raise ValueError(
            f"{path} holds {found} parameters of another model, where this one has {size}; "
            "restore the run's own checkpoints."
        )


def _check_never_begun(folder: RunFolder, charged: Mapping[str, _Charged]) -> None:
    """Without a checkpoint only a run of which nothing was released begins once more."""
    spent = any(one.now.charges for one in charged.values())
    if spent or folder.rows():
        raise ValueError(
            f"{folder.checkpoints} is missing or empty, though the run had begun; restore it "
            "from a copy, or start a new run: what this one spent stays in its ledger."
        )


def _check_repeatable(
    folder: RunFolder,
    protection: Protection,
    charged: Mapping[str, _Charged],
    checkpoint: Checkpoint | None,
    *,
    lost: tuple[str, ...],
) -> None:
    """Refuses to draw a row of correlated noise twice.

    Its rounds are kept before they are released, so of the newest checkpoint only the round
    after it can be charged, and that one was never seen. An older one says nothing of the sort.
    """
    if not protection.claim or _repeatable(protection.device):
        return
    done = 0 if checkpoint is None else checkpoint.server.round
    beyond = [one.round for one in charged["device"].later] if "device" in charged else []
    if lost or any(number > done + 1 for number in beyond):
        why = lost[0] if lost else f"{folder.checkpoints} is older than the ledger"
        raise ValueError(
            f"{why}: released noise was correlated with what is lost, and no ε is known for "
            "drawing it again; restore the last checkpoint, or start a new run."
        )


def _repeatable(device: Protected | None) -> bool:
    return device is None or device.release is None or device.release([1]).repeatable


def _visits(
    protection: Protection, charged: Mapping[str, _Charged], *, afresh: bool
) -> Callable[[int], int]:
    """A device never visits more often than it may, whatever became of its updates."""
    own = [
        charged[unit].now if afresh else charged[unit].then
        for unit, one in protection.units.items()
        if one.release is None and unit in charged
    ]
    return lambda device: max((one.of(device) for one in own), default=0)


def _server(
    protection: Protection, charged: Mapping[str, _Charged], checkpoint: Checkpoint | None
) -> Resumption:
    state = None if checkpoint is None else checkpoint.server
    if not protection.claim:
        return Resumption(state=state, rounds=protection.rounds)
    attempts: dict[int, int] = {}
    for one in charged.values():
        for charge in one.later:
            attempts[charge.round] = max(attempts.get(charge.round, 0), charge.attempt + 1)
    done = 0 if state is None else state.round
    return Resumption(
        state=state, rounds=_last_round(protection, charged, done=done), attempts=attempts
    )


def _last_round(protection: Protection, charged: Mapping[str, _Charged], *, done: int) -> int:
    """The last round that the server's promise has room for."""
    device = protection.device
    if device is None or device.release is None or "device" not in charged:
        return protection.rounds
    return min(protection.rounds, done + max(0, device.times - charged["device"].now.charges))


def _of_damage(lost: tuple[str, ...], checkpoint: Checkpoint | None) -> list[str]:
    if not lost or checkpoint is None:
        return []
    return [f"{lost[0]}; the run goes on from round {checkpoint.server.round}, kept before it."]


def _of_replays(protection: Protection, charged: Mapping[str, _Charged]) -> list[str]:
    rounds = {charge.round for one in charged.values() for charge in one.later}
    if not rounds or not protection.claim:
        return []
    named = ", ".join(str(number) for number in sorted(rounds))
    word = "round" if len(rounds) == 1 else "rounds"
    return [f"charged and lost: {word} {named}, drawn afresh and charged again."]
