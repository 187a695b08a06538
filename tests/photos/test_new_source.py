"""A new photo source is one file, one YAML file and one line: a copy of the tree gets one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# A copy of all packages runs in another process: 8 seconds.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "client",
    "conf",
    "photos",
    "privacy",
    "protocol",
    "ranking",
    "server",
    "simulations",
)

SOURCE = '''
"""A population in which every device photographs the same grey cards."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from photos.library import Library, Moment
from photos.settings import Photos
from photos.source import Orders


@dataclass(frozen=True, kw_only=True, slots=True)
class CardPhotos(Photos):
    """Attributes: moments: Moments of each device; album: Where the cards are from."""

    source: Literal["cards"] = "cards"
    moments: Annotated[int, Interval(ge=1, le=100)]
    album: str


@dataclass(frozen=True, slots=True)
class CardSource:
    settings: CardPhotos
    seed: int

    @property
    def devices(self) -> int:
        return self.settings.devices or 6

    @property
    def held_out_devices(self) -> int:
        return self.settings.held_out_devices

    def library(self, device: int) -> Library:
        return Library(
            device=device,
            moments=tuple(self._moment(number) for number in range(self.settings.moments)),
            skipped={"torn card": 1},
        )

    def orders(self, device: int) -> Orders:
        return {}

    def _moment(self, number: int) -> Moment:
        cards = np.empty((3, self.settings.side, self.settings.side, 3), np.uint8)
        cards[:] = np.array([10, 100, 200])[:, None, None, None] + number
        return Moment(
            number=number,
            photos=cards,
            bursts=np.arange(3),
            feedback=np.array([0, 1, 2]),
            expected_gain=None,
        )
'''
CONFIGURATION = """
# Grey cards.
source: cards
devices: null
held_out_devices: 2
held_out_share: 0.5
side: 16
moments: 8
album: ""
"""
IMPORT = "from photos.cards import CardPhotos, CardSource\n"
LINE = '    "cards": Kind(CardPhotos, CardSource),\n'
BEGINNING = "KINDS: dict[str, Kind] = {\n"

PROGRAM = """
import json, sys
from photos.registry import open_source
from protocol.rebuild import SettingError, from_json, to_json
from client.sections import read_sections
from server.sections import read_sections as read_server_sections
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.settings import Config
from simulations.simulate import simulate

words = sys.argv[1:]
config = compose(words)
text = to_json(config)
assert from_json(Config, text) == config
library = open_source(read_sections(text).photos, seed=config.seed).library(3)
refused = []
for wrong in ("photos.moments=0", "++photos.taste=1"):
    try:
        compose([*words, wrong])
    except SettingError as failure:
        refused.append(str(failure))
found = {
    "side": read_server_sections(text).side,
    "device": library.device,
    "greys": [moment.photos[:, 8, 8, 0].tolist() for moment in library.moments[:2]],
    "refused": refused,
    "status": simulate(config, overrides=words),
}
print("\\n" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of all packages, with the new source's file, YAML file and line."""
    copy = tmp_path_factory.mktemp("tree")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name)
    (copy / "photos" / "cards.py").write_text(SOURCE)
    (copy / "conf" / "photos" / "cards.yaml").write_text(CONFIGURATION)
    registry = copy / "photos" / "registry.py"
    text = registry.read_text()
    assert text.count(BEGINNING) == 1
    registry.write_text(text.replace(BEGINNING, IMPORT + BEGINNING + LINE))
    return copy


@pytest.fixture(scope="module")
def answers(tree) -> dict:
    """What a run over the new source says, and what there was before it."""
    words = [
        "photos=cards",
        "photos.album=/home/anna",
        "ranking=linear",
        "ranking.weights=null",
        "server.cohort=2",
        "server.rounds=1",
        "training.steps=1",
        "simulation.reference=false",
        f"simulation.runs={tree / 'runs'}",
    ]
    line = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(line, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *printed, last = done.stdout.splitlines()
    return {**json.loads(last), "printed": "\n".join(printed)}


def test_a_device_opens_the_new_source_by_its_name(answers):
    assert answers["device"] == 3
    assert answers["greys"] == [[10, 100, 200], [11, 101, 201]]


def test_the_server_needs_to_know_nothing_of_it(answers):
    assert answers["side"] == 16


def test_it_is_trained_on_and_named_in_the_header(answers):
    assert answers["status"] == 0
    assert "cards: 6 devices train, 2 never do" in answers["printed"]
    assert "skipped 8: torn card" in answers["printed"]


def test_its_settings_are_as_strict_as_others(answers):
    assert answers["refused"] == [
        "photos.moments=0 is out of range: it must be at least 1 and at most 100.",
        "photos.taste belongs to photos=synthetic: take that, or leave the setting out.",
    ]


def test_no_text_of_its_settings_is_public(answers, tree):
    (run,) = (path for path in (tree / "runs").iterdir())
    public = (run / "public" / "config.yaml").read_text()
    assert "moments: 8" in public
    assert "anna" not in public
    assert "anna" in (run / "private" / "config.yaml").read_text()
