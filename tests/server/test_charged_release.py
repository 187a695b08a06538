import dataclasses

import numpy as np
import pytest

from privacy.ledger.chain import LedgerError, examine
from privacy.ledger.ledger import Ledger
from privacy.mechanisms.base.unit_settings import Federation
from privacy.mechanisms.base.unprotected import NoDevice
from privacy.mechanisms.correlated.banded_gaussian import BandedRelease
from privacy.mechanisms.correlated.separated_gaussian import SeparatedRelease
from privacy.mechanisms.independent.adaptive_gaussian import AdaptiveRelease
from privacy.mechanisms.independent.cohort_gaussian import IndependentRelease
from privacy.mechanisms.independent.integer_gaussian import IntegerRelease
from privacy.mechanisms.local_gaussian import LocalSettings
from server.charged_release import charged_release


@pytest.fixture
def shield(settings, at_server):
    run = Federation(devices=10, rounds=settings.rounds, cohort=settings.cohort)

    def build(device=at_server.independent, *, noise="insecure_seeded", folder=""):
        return charged_release(
            device.protected(run), noise=noise, layers=(2, 2), seed=3, folder=str(folder)
        )

    return build


def test_rounds_and_attempts_draw_apart_and_a_seed_repeats_them(shield):
    draws = {
        key: shield().source(*key).stream("noise").gaussian(4).tobytes()
        for key in [(1, 0), (2, 0), (1, 1)]
    }
    assert len(set(draws.values())) == 3
    assert draws[1, 0] == shield().source(1, 0).stream("noise").gaussian(4).tobytes()


def test_noise_and_cohort_of_a_round_are_drawn_apart(shield):
    source = shield().source(1, 0)
    cohort, noise = (source.stream(use).gaussian(4) for use in ("cohort", "noise"))
    assert not np.array_equal(cohort, noise)


def test_a_secure_source_never_repeats(shield):
    one, two = (
        shield(noise="secure").source(1, 0).stream("noise").gaussian(4) for _ in range(2)
    )
    assert not np.array_equal(one, two)


def test_devices_that_protect_themselves_leave_the_server_nothing_to_do(shield, tmp_path):
    local = LocalSettings(
        epsilon=None, noise_multiplier=1.0, delta=1e-3, clip=1.0, max_participations=2
    )
    assert shield(local, folder=tmp_path) is None
    assert shield(NoDevice(), folder=tmp_path) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("independent", IndependentRelease),
        ("adaptive", AdaptiveRelease),
        ("separated", SeparatedRelease),
        ("banded", BandedRelease),
    ],
)
@pytest.mark.parametrize("clipping", ["whole", "layers"])
def test_every_mechanism_has_its_release_and_its_clipping(
    shield, at_server, name, kind, clipping
):
    """A first layer of norm 5: as a whole the update keeps 1, by layers 1/√2 of each."""
    chosen = dataclasses.replace(
        getattr(at_server, name), clipping=clipping, noise_multiplier=1e-9
    )
    release = shield(chosen).release
    assert isinstance(release, kind)
    update = np.float32([3, 4, 30, 40])
    mean = release.mean([update], source=shield().source(1, 0)).value
    shares = mean / np.linalg.norm(mean)
    each = [0.6, 0.8, 0.6, 0.8] / np.sqrt(2)
    whole = update / np.linalg.norm(update)
    assert shares == pytest.approx(each if clipping == "layers" else whole, abs=1e-6)


def test_a_replayed_round_is_charged_again(shield, tmp_path):
    chosen = shield(folder=tmp_path)
    for attempt in (0, 1):
        chosen.charge(1, attempt)
    assert examine(tmp_path, "device").spent.charges == 2
    chosen.close()
    with Ledger.open(tmp_path, "device") as ledger:
        assert ledger.terms.population == 10


def test_a_ledger_that_is_there_is_not_begun_anew(shield, tmp_path):
    shield(folder=tmp_path).close()
    with pytest.raises(LedgerError, match="exists already"):
        shield(folder=tmp_path)


def test_integers_have_a_release_of_their_own(shield, at_server):
    chosen = dataclasses.replace(
        at_server.independent, numbers="integers", noise_multiplier=1e-9
    )
    release = shield(chosen).release
    assert isinstance(release, IntegerRelease)
    mean = release.mean([np.float32([3, 4, 30, 40])], source=shield().source(1, 0))
    assert np.linalg.norm(5 * mean.value) == pytest.approx(1.0, abs=1e-4)
