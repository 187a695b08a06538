"""The header says what will run: on which photos, for how long, under which promise."""

from importlib.metadata import version

import pytest

from simulations.configuration.feedback_survey import FeedbackSurvey
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.preflight import Prepared
from simulations.display import header
from simulations.privacy import card
from simulations.runs.run_folder import RunFolder


class Source:
    """Three devices, the last one held out."""

    devices, held_out_devices = 2, 1


@pytest.fixture
def shown(screen, tmp_path):
    """Shows the header of a run; returns its lines."""

    def shown(*words, survey=None, source=None):
        config = compose(words)
        protection = config.protection(devices=240)
        prepared = Prepared(source=source or Source(), protection=protection, survey=survey)
        header.show(config, RunFolder(tmp_path / "run"), screen, prepared=prepared)
        return screen.file.getvalue().splitlines(), prepared

    return shown


def test_the_first_line_names_version_run_seed_and_folder_and_each_other_is_short(
    shown, tmp_path
):
    (first, *lines), _ = shown("seed=5")
    told = " ".join(first.split())
    assert told == f"darkroom {version('darkroom')} quickstart seed 5 {tmp_path / 'run'}"
    assert max(map(len, lines)) <= 80


def test_the_lines_say_photos_ranking_rounds_and_training(shown):
    words = ("ranking=head", "ranking.weights=null", "server.rounds=7", "server.cohort=12.5")
    (_, *lines), _ = shown(*words, "training.steps=3", "training.rate=0.25")
    assert [line.strip() for line in lines[:4]] == [
        "photos    synthetic: 2 devices train, 1 never do",
        "ranking   head from random weights over encoder drawn, softmax loss",
        "rounds    7, each with 12.5 devices expected",
        "training  3 steps a visit, each moment with probability 0.25",
    ]


def test_of_photographs_it_is_said_what_is_in_them(shown):
    survey = FeedbackSurvey(
        training=5, training_orders=4, judged_orders=1, rated=7, skipped={"a video": 3}
    )
    words = ("photos=folder", "photos.root=DIR", "server.cohort=2")
    (_, *lines), _ = shown(*words, survey=survey)
    assert [line.strip() for line in lines[1:4]] == survey.lines()
    assert "over encoder real" in lines[4]


class Catalogue(Source):
    """A public set: what it leaves out is known from its tables; no library is opened."""

    notes = ("a device is a chunk", "the taste is simulated")

    def __init__(self):
        self.skipped = {"table row of nobody": 2}

    def library(self, device):
        raise AssertionError("a public set was opened for its header")


def test_of_a_public_set_its_notes_and_its_tables_are_told(shown):
    words = ("photos=photo_triage", "photos.root=DIR", "server.cohort=2")
    (_, *lines), _ = shown(*words, source=Catalogue())
    assert [line.strip() for line in lines[:4]] == [
        "photos    photo_triage: 2 devices train, 1 never do",
        "a device is a chunk",
        "the taste is simulated",
        "skipped 2: table row of nobody",
    ]


def test_every_promise_is_reported_in_the_words_of_its_card(shown):
    (_, *lines), prepared = shown("privacy/device=gaussian", "privacy.device.delta=1e-3")
    promises = card.promises(prepared.protection, moments=16)
    assert [promise.unit for promise in promises] == ["example", "device"]
    told = [line for promise in promises for line in card.lines(promise)]
    assert lines[4].startswith(f"  privacy   {told[0]}")
    assert [line[12:].rstrip() for line in lines[4:]] == told


def test_a_library_without_a_promise_of_its_own_names_the_choice_that_has_one(shown):
    (_, *lines), _ = shown("privacy/device=none")
    assert lines[-1].strip() == (
        "no ε of its own for a whole library: privacy/device=gaussian has one"
    )


def test_without_privacy_it_is_said_what_an_update_tells(shown):
    (_, *lines), _ = shown("privacy/device=none", "privacy/example=none")
    assert lines[-1].strip() == "privacy   none: an update tells the server a great deal"
