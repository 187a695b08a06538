"""Every experiment composes; none is run here."""

import tomllib
from pathlib import Path

import pytest

from protocol.rebuild import to_json
from simulations.configuration.arms import overrides_by_arm
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.overrides import CONF, groups
from simulations.configuration.study_settings import Arms

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
CHOICES = {
    group: [f"{group}={path.stem}" for path in sorted((CONF / group).glob("*.yaml"))]
    for group in groups()
    if group != "experiment"
}
NEEDED = {
    "real-photos": ["photos.root=DIR"],
    "photo-triage": ["photos.root=DIR"],
    "para": ["photos.root=DIR"],
    "flickr-aes": ["photos.root=DIR"],
    "flair": ["photos.root=DIR"],
    "photos=folder": ["photos.root=DIR"],
    "photos=library": ["photos.root=DIR"],
    "photos=photo_triage": ["photos.root=DIR"],
    "photos=para": ["photos.root=DIR"],
    "photos=flickr_aes": ["photos.root=DIR"],
    "photos=flair": ["photos.root=DIR"],
    "study=comparison": ["+study.arms.a=[]"],
    "study=search": ["+study.arms.a=[]"],
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_composes_under_its_own_name(name):
    config = compose([f"experiment={name}", *NEEDED.get(name, [])])
    assert config.name == name


ALONE = [choice for choices in CHOICES.values() for choice in choices]
"""Each choice beside the defaults: some forbid others, as local training forbids noise."""


@pytest.mark.parametrize("choice", ALONE)
def test_every_choice_of_a_group_composes(choice):
    unprotected = ["privacy/device=none"] if choice.startswith("server/aggregation=") else []
    compose([choice, *unprotected, *NEEDED.get(choice, [])])


def test_the_main_result_has_these_arms():
    arms = overrides_by_arm(compose(["experiment=main-result"]).study)
    assert list(arms) == [
        *(
            f"{unit}-{part}-{epsilon}"
            for unit in ("moment", "device")
            for part in ("taste", "taste_scenes", "linear")
            for epsilon in ("0.5", "2", "8")
        ),
        *(f"control-{part}-2" for part in ("taste", "taste_scenes", "linear")),
        *("no-privacy", "taste_scenes-no-privacy", "linear-no-privacy"),
    ]
    private = (
        "privacy.example.delta=1e-6",
        "privacy.example.clip=0.3",
        "privacy.example.max_participations=6",
    )
    alike = ("photos.taste_cosine=1", "photos.taste_flips=0", "photos.context_preference=0")
    linear = ("ranking=linear", "privacy.example.epsilon=2")
    assert arms["moment-linear-2"] == (*private, *linear)
    assert arms["control-linear-2"] == (*alike, *private, *linear)
    assert arms["no-privacy"] == ("privacy/example=none",)


def test_every_mechanism_of_a_device_is_compared():
    arms = overrides_by_arm(compose(["experiment=mechanisms"]).study)
    assert list(arms) == [
        f"{mechanism}-{epsilon}"
        for mechanism in ("gaussian", "adaptive", "matrix", "untrusted", "local")
        for epsilon in ("0.5", "2", "8")
    ]
    assert arms["untrusted-8"] == (
        "privacy/example=none",
        "privacy/device=matrix",
        "privacy.device.strategy=independent",
        "server.rounds=60",
        "server.cohort=60",
        "privacy.device.epsilon=8",
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_arm_of_a_study_composes(name, tmp_path):
    for made in ("without-distance", "unattending", "probes"):  # weights that one makes first
        (tmp_path / f"{made}.safetensors").touch()
    typed = [f"experiment={name}", f"simulation.runs={tmp_path}", *NEEDED.get(name, [])]
    study = compose(typed).study
    arms = overrides_by_arm(study) if isinstance(study, Arms) else {}
    for changes in arms.values():
        compose([*typed, *changes])


def test_the_experiments_are_those_that_the_documentation_names():
    expected = (
        "centralised flower local-only main-result no-privacy quickstart real-photos scratch"
    )
    assert set(expected.split()) <= set(EXPERIMENTS)


def test_no_arguments_are_the_quickstart():
    assert compose([]) == compose(["experiment=quickstart"])


def test_the_quickstart_promises_epsilon_8_to_a_device_that_came_every_round():
    config = compose([])
    example = config.privacy.example
    assert config.privacy.noise == "secure"
    assert (example.mechanism, example.epsilon, example.delta) == ("dpsgd", 8.0, 1e-5)
    assert example.max_participations == config.server.rounds
    assert config.simulation.reference


@pytest.mark.parametrize(
    "name", ["no-privacy", "local-only", "centralised", "scratch", "flower"]
)
def test_the_baselines_and_flowers_default_run_without_privacy(name):
    assert compose([f"experiment={name}"]).privacy.example.mechanism == "none"


def test_another_experiment_replaces_the_quickstart():
    assert not compose(["experiment=no-privacy"]).simulation.reference


@pytest.mark.parametrize("name", ["quickstart", "main-result", "real-photos"])
def test_privacy_can_be_taken_out_of_any_experiment(name):
    composed = compose([f"experiment={name}", "privacy/example=none", *NEEDED.get(name, [])])
    assert not composed.privacy.example.protects


def test_the_bundle_of_flower_carries_the_flower_experiment():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    carried = pyproject["tool"]["flwr"]["app"]["config"]["config"]
    composed = to_json(compose(["experiment=flower"]))
    assert carried == composed, f"in pyproject.toml:\nconfig = '{composed}'"


def test_no_file_of_the_configuration_names_code():
    for path in CONF.rglob("*.yaml"):
        assert "_target_" not in path.read_text(), path


def test_every_setting_is_explained_on_its_line_or_above_its_file():
    for path in CONF.rglob("*.yaml"):
        if "hydra" not in path.parts:
            assert "#" in path.read_text(), path
