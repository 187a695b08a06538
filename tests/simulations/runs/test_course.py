"""An evaluation is written down before anyone sees it, and the rest is passed on."""

import json

import pytest

from simulations.runs.course import Written
from simulations.runs.run_folder import RunFolder
from simulations.runs.run_log import RunLog


class Row:
    def plain(self):
        return {"round": 3}


class Watching:
    def __init__(self, folder):
        self.folder = folder
        self.heard = []

    def started(self, number, *, cohort):
        self.heard.append((number, cohort))

    def replied(self):
        self.heard.append("replied")

    def evaluated(self, row):
        self.heard.append([json.loads(line) for line in self.folder.rows()])

    def told(self, sentence):
        self.heard.append(sentence)


@pytest.fixture
def folder(tmp_path):
    return RunFolder.at(tmp_path / "run")


def test_a_row_is_on_disk_before_it_is_shown(folder):
    audience = Watching(folder)
    Written(audience, folder, RunLog(folder.path)).evaluated(Row())
    ((row,),) = audience.heard
    assert row["round"] == 3
    assert set(row["machine"]) == {"seconds", "memory_mb", "open_files"}


def test_all_else_is_passed_on(folder):
    audience = Watching(folder)
    written = Written(audience, folder, RunLog(folder.path))
    written.started(2, cohort=5)
    written.replied()
    written.told("lost: round 2.")
    assert audience.heard == [(2, 5), "replied", "lost: round 2."]


def test_a_row_that_a_crash_tore_is_no_row_and_a_run_goes_on_without_it(folder):
    written = Written(Watching(folder), folder, RunLog(folder.path))
    for _ in range(3):
        written.evaluated(Row())
    with (folder.private / "metrics.jsonl").open("a") as lines:
        lines.write('{"round"')
    assert len(folder.rows()) == 3
    folder.reopen(rows=2)
    lines = (folder.private / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["round"] for line in lines] == [3, 3]


def test_a_run_with_fewer_rows_than_its_checkpoint_counts_is_refused_as_it_is(folder):
    folder.write_summary({"status": "interrupted"})
    with pytest.raises(ValueError, match=r"metrics\.jsonl has 0 evaluations of 2"):
        folder.reopen(rows=2)
    assert (folder.private / "summary.json").exists()


def test_what_a_run_writes_at_its_end_alone_is_gone_when_it_goes_on(folder):
    folder.write_summary({"status": "finished"})
    folder.write_card({})
    folder.public.mkdir()
    for name in ("parts.json", "model.safetensors"):
        (folder.private / name).write_text("")
    assert folder.finished
    folder.reopen(rows=0)
    assert not folder.finished
    assert [path.name for path in folder.private.iterdir()] == ["metrics.jsonl"]
    assert not folder.public.exists()
