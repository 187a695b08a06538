"""The commands of docs/public-sets.md run, on made copies."""

import re
from pathlib import Path

import made_sets
import pytest

from simulations.configuration.hydra_bridge import compose
from simulations.simulate import simulate

PAGE = (Path(__file__).parents[2] / "docs" / "public-sets.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^darkroom simulate (.+)$", PAGE, flags=re.MULTILINE)
SMALL = (
    "photos.held_out_devices=2",
    "photos.held_out_share=0.5",
    "photos.side=16",
    "server.cohort=2",
    "server.rounds=1",
    "server.averaged=1",
    "simulation.reference=false",
)


CUT = "photos.moment_size=4"
MADE = {
    "photo-triage": (
        lambda root: made_sets.photo_triage(root, series=30),
        "photos.device_series=6",
        "pairwise accuracy of this run: ",
        "photographers are unnamed",
    ),
    "para": (
        lambda root: made_sets.para(root, photos=40),
        CUT,
        "Spearman of this run: ",
        "the same photos",
    ),
    "flickr-aes": (
        lambda root: made_sets.flickr_aes(root, photos=40),
        CUT,
        "Spearman of this run: ",
        "the same photos",
    ),
    "flair": (
        lambda root: made_sets.flair_raw(root, made_sets.flair_entries(users=6, photos=40)),
        "photos.held_out_devices=1",
        "Spearman with the simulated taste of this run: ",
        "feedback is simulated",
    ),
}
"""Of each experiment its made copy, a setting, and what is said at the end and at the start."""


def test_the_page_has_a_command_for_each_set():
    assert [command.split()[0] for command in COMMANDS] == [
        f"experiment={name}" for name in MADE
    ]


@pytest.mark.slow  # each run assembles and proves an engine: a few seconds
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs_on_a_made_copy(command, tmp_path, capsys):
    make, word, end, start = MADE[command.split()[0].removeprefix("experiment=")]
    root = tmp_path / "copy"
    root.mkdir()
    typed = command.replace("DIR", str(make(root))).split()
    runs = tmp_path / "runs"
    assert simulate(compose([*typed, *SMALL, word, f"simulation.runs={runs}"])) == 0
    shown = capsys.readouterr().out
    assert end in shown
    assert start in shown
    assert "from public weights over encoder real" in shown
    (run,) = runs.iterdir()
    assert end.partition(" of this")[0] in (run / "private" / "metrics.jsonl").read_text()
    assert str(tmp_path) not in (run / "public" / "config.yaml").read_text()
