"""What start weights have cost the devices on which a run goes on."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from photos.registry import SETTINGS
from photos.settings import Photos
from photos.synthetic.settings import SyntheticPhotos
from privacy.ledger.chain import LedgerError
from privacy.protection.derivation import Protection
from privacy.statements.composition import Composed, Paid, composed
from protocol.rebuild import SettingError, rebuild
from ranking.weights import UNNAMED, Origin, read_origin
from simulations.configuration.settings import Config
from simulations.runs import run_parts
from simulations.runs.earlier import bills
from simulations.runs.earlier.bills import Bill
from simulations.runs.run_folder import CARD, CONFIG, EARLIER, MODEL, RunFolder
from simulations.runs.whole_files import write_whole

ABSENT = "its ledgers are not at hand"
KEPT = (CONFIG, CARD, Path(run_parts.PARTS).name)
"""Beside the ledgers: on which photos the run trained, and what seals it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EarlierRuns:
    """The runs over the same devices that start weights come from.

    Attributes:
        name: The run that left the weights; None where no run over these devices did.
        folders: Of it and of those that it started from, where their ledgers are at hand.
        charged: What each of them charged.
        unknown: Why what they cost is not known; "" where it is.
        aligned: Whether a number is the same device in all of them and in the new run.
    """

    name: str | None = None
    folders: Sequence[Path] = ()
    charged: Sequence[Bill] = ()
    unknown: str = ""
    aligned: bool = True

    def planned(self, protection: Protection, *, unit: str) -> Composed | None:
        """Returns the ε of a unit over them and the whole of the run that is to come.

        Guarantee: of a device that came most often in each of them and comes as often as it
        may in the new one.

        Returns:
            None where it has no bound.
        """
        new = protection.units[unit]
        terms = new.mechanism.terms(noise="secure" if protection.claim else "insecure_seeded")
        paid = self._paid(unit)
        return None if paid is None else _bounded([*bills.most(paid), (terms, new.times)])

    def ran(self, run: Path, *, unit: str) -> Composed | None:
        """Returns the same of the run as it ran, by its ledgers; None without a bound."""
        paid, own = self._paid(unit), bills.bill_of(run).of(unit)
        if paid is None or own is None:
            return None
        try:
            return bills.together([*paid, own], aligned=self.aligned)
        except ValueError:
            return None

    def promised(self, unit: str) -> tuple[float, float] | None:
        """Returns ε and δ that the earlier runs promised a unit before they ran, added up.

        Unlike what they cost as they ran it says nothing of how often devices came.

        Returns:
            None where one of them promised nothing.
        """
        found = [_promise(folder, unit) for folder in self.folders]
        if self.unknown or None in found:
            return None
        kept = [one for one in found if one is not None]
        return sum(one[0] for one in kept), sum(one[1] for one in kept)

    def _paid(self, unit: str) -> list[bills.Ledger] | None:
        found = [paid for bill in self.charged if (paid := bill.of(unit)) is not None]
        return None if self.unknown or len(found) < len(self.charged) else found

    def keep(self, folder: RunFolder) -> None:
        """Copies their ledgers into the new run's private half, so that none is lost."""
        for number, source in enumerate(self.folders):
            place = folder.private / EARLIER / f"{number}-{source.name}"
            if not place.exists():
                _copy(source, place)


NONE = EarlierRuns()


def earlier_runs(config: Config) -> EarlierRuns:
    """Returns what the start weights of ``config`` have cost its devices before.

    Raises:
        SettingError: What they cost has no bound, or is not known, and ``privacy.claim`` asks
            for a claim.
    """
    weights = config.ranking.weights
    if weights in (None, "public") or not config.privacy.protects:
        return NONE
    found = _found(Path(str(weights)), config)
    if config.privacy.claim and found.name is not None:
        _check_claim(found, config)
    return found


def _check_claim(found: EarlierRuns, config: Config) -> None:
    protected = {"example": config.privacy.example, "device": config.privacy.device}
    open_units = [
        bill.name
        for unit, settings in protected.items()
        if settings.protects
        for bill in found.charged
        if bill.of(unit) is None
    ]
    why = found.unknown
    if open_units:
        why = f"{open_units[0]} did not protect what this run protects"
    if why:
        raise SettingError(
            f"privacy.claim=true: the weights of ranking.weights={config.ranking.weights} were "
            f"trained by {found.name} on what may be the same devices, and {why}; keep that "
            "run's folder where it was written or in simulation.runs, or start from "
            "ranking.weights=public."
        )


def _found(weights: Path, config: Config) -> EarlierRuns:
    origin = read_origin(weights)
    if not origin.of_a_run:
        return NONE
    runs = origin.runs or (UNNAMED,)
    run = _run_of(weights, runs[-1], config)
    if run is None:
        made_otherwise = len(runs) == 1 and _other_source(origin, config)
        return NONE if made_otherwise else EarlierRuns(name=runs[-1], unknown=ABSENT)
    return _of_devices(run, config)


def _of_devices(run: Path, config: Config) -> EarlierRuns:
    """Of a run and those before it the ones that cannot be known to have other devices."""
    aligned = {one: _aligned(one, config) for one in (run, *bills.earlier_of(run))}
    folders = [one for one, same in aligned.items() if same is not None]
    unknown = _unknown_before(run)
    if not folders and not unknown:
        return NONE
    try:
        charged = [bills.bill_of(one) for one in folders]
    except LedgerError:
        return EarlierRuns(name=run.name, unknown="a ledger of it does not hold")
    return EarlierRuns(
        name=run.name,
        folders=folders,
        charged=charged,
        unknown=unknown,
        aligned=all(aligned[one] for one in folders),
    )


def _unknown_before(run: Path) -> str:
    """Why it is not known what the start weights of ``run`` itself had cost; "" where it is."""
    card = RunFolder(run).private / CARD
    units = json.loads(card.read_text()).values() if card.is_file() else ()
    said = [unit["with_earlier"]["unknown"] for unit in units if unit.get("with_earlier")]
    return next((f"before it {why}" for why in said if why), "")


def _other_source(origin: Origin, config: Config) -> bool:
    """Whether one trained on drawings and the other on photographs: no device is in both."""
    trained = SETTINGS.get(origin.photos or "")
    return trained is not None and _is_made(trained) != config.photos.made


def _is_made(settings: type[Photos]) -> bool:
    return settings is SyntheticPhotos


def _run_of(weights: Path, name: str, config: Config) -> Path | None:
    """The folder of the run that left ``weights``, where its parts say so and are whole."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    for run in (weights.absolute().parent.parent, Path(config.simulation.runs) / name):
        models = (half / MODEL for half in (run / "public", run / "private"))
        if any(_digest(model) == digest for model in models) and _whole(run):
            return run
    return None


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _whole(run: Path) -> bool:
    return not run_parts.faults(run, *run_parts.of_any_run())


def _aligned(run: Path, config: Config) -> bool | None:
    """Whether a device has the same number in both; None where no device is in both.

    Of made populations the settings say which devices they are. Of photographs they do not:
    the same photos may lie in two folders.
    """
    ours = config.photos.identity(seed=config.seed)
    try:
        plain = yaml.safe_load((RunFolder(run).private / CONFIG).read_text())
        settings = rebuild(SETTINGS[plain["photos"]["source"]], plain["photos"], at="photos")
        theirs = settings.identity(seed=plain["seed"])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return False
    if ours == theirs:
        return True
    return None if settings.made or config.photos.made else False


def _promise(folder: Path, unit: str) -> tuple[float, float] | None:
    try:
        promise = json.loads((RunFolder(folder).private / CARD).read_text())[unit]
        return float(promise["epsilon"]), float(promise["delta"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _bounded(paid: Paid) -> Composed | None:
    try:
        return composed(paid)
    except ValueError:
        return None


def _copy(source: Path, place: Path) -> None:
    """The settings, the card, the seal and the ledgers of a run, whole or not at all."""
    partial = place.with_name(f".{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    half = partial / "private"
    half.mkdir(parents=True, mode=0o700)
    for name in KEPT:
        if (found := source / "private" / name).is_file():
            write_whole(half / name, found.read_text())
    if (ledgers := RunFolder(source).ledgers).is_dir():
        shutil.copytree(ledgers, half / "ledger", ignore=shutil.ignore_patterns(".*"))
    partial.rename(place)
