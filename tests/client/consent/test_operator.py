import pytest
from flwr.common.config import parse_config_args

from client.consent.operator import OperatorPolicy, read_policy
from protocol.rebuild import SettingError

DIGEST = "0123456789abcdef" * 4
SIMULATED = {"partition-id": 3, "num-partitions": 10}


def test_a_device_of_a_simulation_demands_nothing_beyond_the_configuration():
    policy = read_policy(SIMULATED)
    assert policy == OperatorPolicy()
    assert not policy.noise
    assert not policy.protection


def test_all_keys_are_read_as_flower_parses_them_from_the_command_line():
    words = f"max-epsilon=2 min-noise=1.5 max-exposure=10 max-clip=.5 config-digest='{DIGEST}'"
    words = words.replace("=.5", "=0.5")
    assert read_policy(SIMULATED | parse_config_args([words])) == OperatorPolicy(
        max_epsilon=2.0, min_noise=1.5, max_exposure=10.0, max_clip=0.5, config_digest=DIGEST
    )


def test_a_folder_for_the_ledger_is_read_as_flower_parses_it(tmp_path):
    read = read_policy(parse_config_args([f'max-epsilon=2 ledger="{tmp_path}"']))
    assert read.ledger == tmp_path
    assert read_policy(SIMULATED).ledger is None


def test_a_ledger_is_no_demand_upon_a_run(tmp_path):
    read = read_policy({"ledger": str(tmp_path)})
    assert (read, hash(read)) == (OperatorPolicy(), hash(OperatorPolicy()))
    assert not read.protection


def test_a_ledger_that_is_no_folder_is_an_error(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.chdir(tmp_path.parent)
    relative = tmp_path.name
    for wrong in (str(file), str(tmp_path / "missing"), relative, "", "\0", 3, 1.0, True):
        with pytest.raises(SettingError, match=r"ledger=.* absolute path of a folder"):
            read_policy({"ledger": wrong})


def test_an_encoder_and_a_cache_are_read_and_are_no_demand_upon_a_run(tmp_path):
    file = tmp_path / "own.onnx"
    file.write_text("")
    read = read_policy(parse_config_args([f'encoder="{file}" cache="{tmp_path}"']))
    assert (read.encoder, read.cache) == (file, tmp_path)
    assert (read, read.protection) == (OperatorPolicy(), False)


def test_an_encoder_that_is_no_file_is_an_error(tmp_path):
    for wrong in (str(tmp_path), str(tmp_path / "missing"), "own.onnx", "", "\0", 3, True):
        with pytest.raises(SettingError, match=r"encoder=.* absolute path of an ONNX file"):
            read_policy({"encoder": wrong})


def test_keys_of_other_apps_are_none_of_ours():
    others = {"partition-id": 3, "dataset-path": "/photos", "gpu": True, "seed": 4}
    assert read_policy(others) == OperatorPolicy()


def test_a_digest_may_be_in_capitals():
    assert read_policy({"config-digest": DIGEST.upper()}).config_digest == DIGEST


@pytest.mark.parametrize("key", ["max-epsilon", "min-noise", "max-exposure", "max-clip"])
@pytest.mark.parametrize(
    "value", [0, -1, 0.0, "2", "", True, float("nan"), float("inf"), -float("inf")]
)
def test_a_demand_that_is_no_number_above_0_is_an_error(key, value):
    with pytest.raises(SettingError, match=rf"{key}=.* must be a number above 0\.$"):
        read_policy({key: value})


@pytest.mark.parametrize("value", ["", "abc", DIGEST[:-1], DIGEST + "0", "g" * 64, 12, True])
def test_a_digest_that_is_none_is_an_error(value):
    with pytest.raises(SettingError, match="64 hexadecimal digits"):
        read_policy({"config-digest": value})


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("max_epsilon", "max-epsilon"),
        ("max-epsilom", "max-epsilon"),
        ("epsilon", "max-epsilon"),
        ("min-sigma", ""),
        ("max-rounds", ""),
        ("config-hash", ""),
        ("Min-Noise", "min-noise"),
        ("ledgers", "ledger"),
        ("ledger-path", "ledger"),
        ("ledger-directory", ""),
    ],
)
def test_a_key_that_is_nearly_one_is_an_error_and_not_overlooked(key, meant):
    with pytest.raises(SettingError, match=f"'{key}' is none of max-epsilon, .*{meant}"):
        read_policy({key: 1.0})
