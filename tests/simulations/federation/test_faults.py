from simulations.federation.faults import Faults


def faults(**changes):
    return Faults(**({"seed": 3, "dropout": 0.0, "latency": 0.0, "timeout": 60.0} | changes))


def test_without_faults_nothing_is_lost():
    assert not any(faults().loses(device, group="1") for device in range(1000))


def test_a_dropout_of_one_loses_every_reply():
    assert all(faults(dropout=1.0).loses(device, group="1") for device in range(100))


def test_the_share_lost_is_the_dropout():
    # 4,000 coins of probability 0.3: four standard deviations are 0.029
    lost = sum(faults(dropout=0.3).loses(device, group="7") for device in range(4000))
    assert abs(lost / 4000 - 0.3) < 0.029


def test_half_are_late_when_the_median_latency_is_the_timeout():
    lost = sum(faults(latency=60.0).loses(device, group="7") for device in range(4000))
    assert abs(lost / 4000 - 0.5) < 0.032


def test_a_fault_is_a_function_of_seed_round_and_device():
    again = [faults(dropout=0.5).loses(device, group="2") for device in range(200)]
    assert again == [faults(dropout=0.5).loses(device, group="2") for device in range(200)]
    assert again != [faults(dropout=0.5).loses(device, group="3") for device in range(200)]
    assert again != [faults(dropout=0.5, seed=4).loses(d, group="2") for d in range(200)]
