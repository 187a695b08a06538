import json
from datetime import date

import pytest
import yaml

from simulations.runs.run_folder import RunFolder

DAY = date(2026, 11, 24)


def test_run_folders_are_numbered_from_one_by_day_and_name(tmp_path):
    names = [RunFolder.create(tmp_path, "quickstart", today=DAY).path.name for _ in range(3)]
    assert names == [f"2026-11-24-quickstart-{n}" for n in (1, 2, 3)]


def test_a_parent_that_is_a_file_is_one_sentence_that_names_the_setting(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(ValueError, match=r"simulation\.runs=.*cannot hold a run folder"):
        RunFolder.create(tmp_path / "runs", "quickstart", today=DAY)


def test_the_configuration_reads_back_as_it_was(tmp_path):
    folder = RunFolder.create(tmp_path, "x", today=DAY)
    folder.write_config({"seed": 1, "server": {"lr": 0.5, "name": None}})
    assert yaml.safe_load((folder.private / "config.yaml").read_text()) == {
        "seed": 1,
        "server": {"lr": 0.5, "name": None},
    }


def test_metrics_are_one_json_line_per_evaluation_and_infinity_is_null(tmp_path):
    folder = RunFolder.create(tmp_path, "x", today=DAY)
    folder.append_metrics({"round": 0, "loss": float("inf")})
    folder.append_metrics({"round": 1, "nested": [float("nan"), 2.0]})
    lines = (folder.private / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"round": 0, "loss": None},
        {"round": 1, "nested": [None, 2.0]},
    ]


def test_the_environment_tells_versions_but_no_host_user_or_path(tmp_path):
    import getpass
    import platform

    folder = RunFolder.create(tmp_path, "x", today=DAY)
    folder.write_environment()
    text = (folder.private / "environment.json").read_text()
    assert json.loads(text)["packages"]["torch"]
    assert str(tmp_path) not in text
    for secret in (platform.node(), f'"{getpass.getuser()}"'):
        assert not secret or secret not in text
