"""The kinds of encoders: settings of their own, and one sentence where they do not fit."""

from dataclasses import replace

import pytest
from rankings import ENCODER, ranking

from protocol.rebuild import SettingError, rebuild, to_plain
from ranking.encoders import ENCODERS, Drawn, Real
from ranking.settings import Ranking
from simulations.configuration.hydra_bridge import compose

REAL = Real(width=64)


def test_a_drawn_encoder_of_any_multiple_of_32_fits_and_its_neighbours_do_not():
    flaws = [Drawn(width=width, depth=0, heads=1).flaw() for width in (32, 33, 48, 64, 96)]
    assert [bool(flaw) for flaw in flaws] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (ENCODER, ""),
        (
            replace(ENCODER, width=72),
            "ranking.encoder.width=72 is no multiple of 32; take one.",
        ),
        (
            replace(ENCODER, heads=3),
            "ranking.encoder.heads=3 does not divide ranking.encoder.width=64; change one of "
            "them.",
        ),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence_that_names_them(settings, sentence):
    assert settings.flaw() == sentence


@pytest.mark.parametrize("settings", [ENCODER, REAL])
def test_each_kind_is_found_by_its_name_and_reads_itself_back(settings):
    assert rebuild(ENCODERS[settings.kind], to_plain(settings)) == settings


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        (ENCODER, "width", 31),
        (ENCODER, "depth", 25),
        (ENCODER, "heads", 0),
        (REAL, "width", 0),
        (REAL, "width", 225),
    ],
)
def test_a_setting_outside_its_range_is_refused_with_the_range(settings, name, value):
    with pytest.raises(SettingError, match=rf"^{name}={value} is out of range: it must be "):
        rebuild(type(settings), to_plain(settings) | {name: value})


def test_a_setting_of_another_kind_is_refused_with_the_kind_that_has_it():
    with pytest.raises(
        SettingError, match=r"^ranking\.encoder\.depth belongs to ranking/encoder=drawn: take"
    ):
        compose(["ranking/encoder=real", "ranking.encoder.depth=3"])


def test_an_encoder_that_stays_as_it_is_is_not_trained():
    flaw = ranking("all", encoder=REAL).flaw()
    assert flaw.startswith("ranking=all trains the encoder, and ranking/encoder=real stays")
    assert [ranking(trained, encoder=REAL).flaw() for trained in ("taste", "head")] == ["", ""]


def test_a_ranking_is_read_back_with_its_encoder():
    whole = ranking("taste")
    assert rebuild(Ranking, to_plain(whole)) == whole
