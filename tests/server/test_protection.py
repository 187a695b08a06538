import numpy as np
import pytest

from privacy.cohort_gaussian import CohortGaussian
from privacy.cohort_sampling import CappedPoissonSampling
from privacy.ledger import Ledger
from privacy.ledger_chain import LedgerError, examine
from privacy.local_gaussian import LocalGaussian
from server.protection import protection

CENTRAL = CohortGaussian(
    sampling=CappedPoissonSampling(devices=10, rate=0.5, cap=8),
    noise_multiplier=1.0,
    clip=1.0,
    delta=1e-3,
)


def shield(noise="insecure_seeded", folder=""):
    return protection(CENTRAL, seed=3, noise=noise, folder=str(folder))


def test_rounds_and_attempts_draw_apart_and_a_seed_repeats_them():
    draws = {
        key: shield().source(*key).stream("noise").gaussian(4).tobytes()
        for key in [(1, 0), (2, 0), (1, 1)]
    }
    assert len(set(draws.values())) == 3
    assert draws[1, 0] == shield().source(1, 0).stream("noise").gaussian(4).tobytes()


def test_noise_and_cohort_of_a_round_are_drawn_apart():
    source = shield().source(1, 0)
    cohort, noise = (source.stream(use).gaussian(4) for use in ("cohort", "noise"))
    assert not np.array_equal(cohort, noise)


def test_a_secure_source_never_repeats():
    one, two = (shield("secure").source(1, 0).stream("noise").gaussian(4) for _ in range(2))
    assert not np.array_equal(one, two)


def test_devices_that_protect_themselves_leave_the_server_nothing_to_do():
    local = LocalGaussian(noise_multiplier=1.0, clip=1.0, delta=1e-5)
    assert protection(local, seed=0, noise="secure", folder="") is None
    assert protection(None, seed=0, noise="secure", folder="") is None


def test_a_replayed_round_is_charged_again(tmp_path):
    chosen = shield(folder=tmp_path)
    for attempt in (0, 1):
        chosen.charge(1, attempt)
    assert examine(tmp_path, "device").spent.charges == 2
    chosen.close()
    with Ledger.open(tmp_path, "device") as ledger:
        assert ledger.terms.population == 10


def test_a_ledger_that_is_there_is_not_begun_anew(tmp_path):
    shield(folder=tmp_path).close()
    with pytest.raises(LedgerError, match="exists already"):
        shield(folder=tmp_path)
