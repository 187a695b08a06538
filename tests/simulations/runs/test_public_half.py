"""Whoever has the public half of a run learns the model, public terms and what ε covers."""

import dataclasses
import json
import stat
from copy import deepcopy
from functools import cache
from typing import Literal, get_args, get_origin

import pytest
import yaml
from PIL import Image

from protocol import setting_names
from protocol.rebuild import to_plain
from ranking.weights import read_origin
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.settings import Config
from simulations.privacy.card import Guarantee, promises
from simulations.ranking.rank import rank
from simulations.runs import public_half
from simulations.runs.run_folder import RunFolder

SECRET = "qX7vJ2mKpL9w"


@pytest.fixture
def run(simulated, given_noise, tmp_path):
    """Runs two devices for one round, of which both units are protected."""
    words = (*given_noise, "server.cohort=2", "server.rounds=1")
    return lambda *more: simulated(tmp_path / "runs", *words, *more)


def is_free_text(hint):
    """Whether anything may be written there, a path for one: no choice among words."""
    return get_origin(hint) is not Literal and (
        hint is str or any(is_free_text(one) for one in get_args(hint) if one is not hint)
    )


READ_BY_ALL = {
    "name",
    "ranking.frozen_digest",
    "ranking.encoder.digest",
    "ranking.encoder.name",
}
"""What the researcher calls the run, the digest of what the public model holds, and what each
device must have to embed by the same encoder."""

FREE = [
    path
    for path, hint in setting_names.setting_hints(Config).items()
    if not setting_names.sections(hint) and is_free_text(hint)
]
OF_A_KIND = {
    "photos": ("photos=folder", "photos.root=DIR"),
    "photos.zone": ("photos=library", "photos.root=DIR", "photos.devices_by=folder"),
    "ranking.encoder.file": ("ranking/encoder=onnx",),
    "study": ("study=search", "+study.arms.a=[]"),
    "study.against": ("study=comparison", "+study.arms.a=[]"),
}
"""What makes a setting, or all of a section, one of the run's where the default is another
choice."""


@pytest.fixture(scope="module")
def planted(tiny):
    """Gives a setting of a run a value; returns what of the run's settings is public."""
    plain = cache(lambda *words: to_plain(compose([*tiny, *words])))

    def planted(path, value):
        section = path.partition(".")[0]
        found = deepcopy(plain(*OF_A_KIND.get(path, OF_A_KIND.get(section, ()))))
        *sections, name = path.split(".")
        inner = found
        for section in sections:
            inner = inner[section]
        assert name in inner
        inner[name] = value
        return public_half.of_config(found)

    return planted


def test_the_free_texts_of_a_configuration_are_known():
    assert set(FREE) >= {
        "name",
        "photos.root",
        "photos.zone",
        "ranking.weights",
        "simulation.address",
        "simulation.cache",
        "simulation.runs",
        "study.against",
        "study.arms",
        "study.grids",
        "study.shared",
        "study.without",
    }


@pytest.mark.parametrize("path", sorted(set(FREE) - READ_BY_ALL))
def test_no_other_free_text_is_public(planted, path):
    assert SECRET not in json.dumps(planted(path, SECRET))


def test_the_seed_is_not_public_and_how_this_machine_ran_is_not_either(planted):
    shared = planted("seed", 987654321)
    assert "987654321" not in json.dumps(shared)
    assert set(shared) == {"name", "photos", "ranking", "training", "server", "privacy"}
    assert shared["ranking"]["weights"] is None
    assert planted("ranking.weights", "public")["ranking"]["weights"] == "public"


def test_a_public_half_has_these_files_and_the_private_one_is_closed(run, tmp_path):
    folder = run("seed=987654321")
    assert {file.name for file in folder.public.iterdir()} == {
        "config.yaml",
        "privacy.json",
        "model.safetensors",
    }
    assert stat.S_IMODE(folder.private.stat().st_mode) == 0o700
    origin = read_origin(folder.model)
    assert (origin.seed, origin.photos) == (None, "synthetic")
    for file in folder.public.iterdir():
        content = file.read_bytes()
        for secret in (b"987654321", b"simulation", str(tmp_path).encode()):
            assert secret not in content.replace(b"darkroom simulate", b"")
    config = yaml.safe_load((folder.public / "config.yaml").read_text())
    assert config["server"]["cohort"] == 2


@pytest.mark.parametrize(
    ("words", "by_round"),
    [
        ((), {"device"}),
        (("privacy/device=local", "privacy.device.delta=1e-5"), set()),
        (("privacy/device=matrix",), {"device"}),
    ],
)
def test_a_public_card_tells_of_visits_nothing_and_of_rounds_what_follows_from_them(
    run, words, by_round
):
    folder = run(*words)
    public, private = (
        json.loads((half / "privacy.json").read_text())
        for half in (folder.public, folder.private)
    )
    promised = {field.name for field in dataclasses.fields(Guarantee)}
    assert set(public) == set(private) == {"example", "device"}
    for unit, card in public.items():
        told = set(card) - promised
        assert told == ({"as_it_ran", "ledger"} if unit in by_round else set())
        assert card.items() <= private[unit].items()
        assert private[unit]["as_it_ran"]["worst"] >= 0
        assert private[unit]["ledger"]["count"] >= 1
    text = (folder.public / "privacy.json").read_text()
    assert private["example"]["ledger"]["hash"] not in text


@pytest.mark.parametrize("word", ["privacy.noise=insecure_seeded", "privacy/example=none"])
def test_a_run_without_a_promise_shares_nothing(simulated, tmp_path, word):
    folder = simulated(tmp_path, word)
    assert not folder.public.exists()
    assert folder.model == folder.private / "model.safetensors"
    assert folder.model.is_file()


def test_a_bound_of_infinity_is_no_promise_to_share_a_model_under(given_noise):
    protection = compose(given_noise).protection(devices=120)
    (example, _) = promises(protection, moments=16)
    without = dataclasses.replace(example, epsilon=float("inf"))
    assert public_half.may_be_shared([without, example])
    assert not public_half.may_be_shared([without])
    assert not public_half.may_be_shared([dataclasses.replace(example, claim=False)])


def test_the_run_without_privacy_is_private(run):
    folder = run("simulation.reference=true")
    inner = RunFolder(folder.private / "without-privacy")
    assert inner.model.is_file()
    assert not inner.public.exists()


def test_a_model_ranks_from_a_run_its_public_half_and_its_file(run, tmp_path):
    folder = run()
    (tmp_path / "album").mkdir()
    for number, shade in enumerate((20, 200)):
        Image.new("RGB", (20, 20), (shade, 90, 40)).save(tmp_path / "album" / f"{number}.png")
    tables = [
        rank(place, tmp_path / "album", out=tmp_path / f"out-{number}").table.read_text()
        for number, place in enumerate((folder.path, folder.public, folder.model))
    ]
    assert tables[0] == tables[1] == tables[2]
    assert "album" in tables[0]
