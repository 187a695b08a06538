"""Settings that contradict each other are refused with both names and the way out."""

import pytest

from server.aggregation.uniform_mean import UniformMean
from simulations.configuration.hydra_bridge import compose

NONE = "privacy/example=none"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["server.cohort=121"],
            "server.cohort=121 exceeds the number of devices that train, 120; lower it.",
        ),
        (["photos=folder"], "photos.root is empty but photos=folder; add photos.root=DIR."),
        (
            ["ranking/encoder=onnx", "ranking.encoder.side=64"],
            "photos.side=48 and ranking.encoder.side=64 differ, and no photo is resized "
            "between them: make them the same.",
        ),
        (
            ["ranking/encoder=module", "ranking.encoder.mean=[0.5]"],
            "ranking.encoder.mean has 1 numbers, and a photo three colours; give one for each, "
            "as [0.5, 0.5, 0.5].",
        ),
        (
            ["ranking/encoder=onnx", "ranking.encoder.deviation=[1, 0, 1]"],
            "ranking.encoder.deviation=[1.0, 0.0, 1.0] divides colours; give numbers above 0.",
        ),
        (
            ["ranking=all", "ranking/encoder=real"],
            "ranking=all trains the encoder, and ranking/encoder=real stays as it is; take "
            "ranking=head, or an encoder of ours as ranking/encoder=drawn.",
        ),
        (
            ["simulation.address=foo"],
            "simulation.address='foo' is no address of a Ray cluster; use auto, "
            "ray://host:port, host:port of its head node, or null for this machine.",
        ),
        (["simulation.cache="], "simulation.cache is empty; name a folder, or use null."),
        (
            ["photos=folder", "photos.root="],
            "photos.root is empty but photos=folder; add photos.root=DIR.",
        ),
        (
            ["ranking.weights=nowhere.safetensors"],
            "ranking.weights=nowhere.safetensors is no file; use public, null or a safetensors "
            "file.",
        ),
        (
            ["ranking.list.heads=5"],
            "ranking.list.heads=5 does not divide ranking.list.width=64; change one of them.",
        ),
        (
            ["ranking.encoder.width=96", "ranking.encoder.heads=5"],
            "ranking.encoder.heads=5 does not divide ranking.encoder.width=96; change one of "
            "them.",
        ),
        (
            ["ranking.encoder.width=72"],
            "ranking.encoder.width=72 is no multiple of 32; take one.",
        ),
        (
            ["ranking=head", "simulation.personal=true"],
            "simulation.personal=true fits a few weights to each device, and ranking=head "
            "trains more; take ranking=taste, taste_scenes or linear, or leave it false.",
        ),
        (
            ["privacy.example.numbers=integers", "privacy.example.noise_multiplier=257"],
            "privacy.example.noise_multiplier=257 is more than the 256 that "
            "privacy.example.numbers=integers can draw; lower it, or use float64.",
        ),
        (
            ["privacy.example.noise_multiplier=0"],
            "privacy.example.noise_multiplier=0 keeps no privacy.example.epsilon=8; "
            "set one of them to null.",
        ),
        (
            ["privacy/device=gaussian", "privacy.device.noise_cohort=100"],
            "privacy.device.noise_cohort and privacy.device.noise_population describe one "
            "larger federation: give both, or set both to null.",
        ),
        (
            [
                "privacy/device=gaussian",
                "privacy.device.noise_cohort=5",
                "privacy.device.noise_population=1000",
            ],
            "privacy.device.noise_cohort=5 must lie between server.cohort=40 and "
            "privacy.device.noise_population=1000.",
        ),
        (
            [
                "privacy/device=gaussian",
                "privacy.device.numbers=integers",
                "privacy.device.clipping=layers",
            ],
            "privacy.device.clipping=layers is not for privacy.device.numbers=integers; "
            "use float64, or leave it as it was.",
        ),
        (
            ["privacy.claim=true", "privacy.noise=insecure_seeded"],
            "privacy.noise=insecure_seeded draws noise and samples from the seed, which is no "
            "claim, and privacy.claim=true asks for one; use privacy.noise=secure.",
        ),
        (
            ["privacy.claim=true", NONE, "privacy/device=none"],
            "privacy.claim=true asks for a claim but nothing is protected; add "
            "privacy/example=dpsgd or privacy/device=gaussian.",
        ),
        (
            ["privacy/device=matrix", "privacy.device.largest_cohort=60"],
            "privacy.device.largest_cohort=60 has no effect with "
            "privacy.device.participation=separated, whose cohorts have one size; set it to "
            "null.",
        ),
        (
            ["privacy.example.epsilon=null"],
            "privacy.example.epsilon and privacy.example.noise_multiplier are both null; "
            "give one of them.",
        ),
        (
            ["simulation.algorithm=centralised"],
            "simulation.algorithm=centralised is a baseline without privacy; "
            "add privacy/example=none privacy/device=none.",
        ),
        (
            ["study=comparison"],
            "study=comparison has no arm; write study.arms or study.grids in a file of "
            "conf/experiment/, or take study=none for one plain run.",
        ),
        (
            ["experiment=main-result", "study.seeds=[]"],
            "study.seeds is empty but study=comparison runs every arm at each of them; give "
            "one, as study.seeds=[0].",
        ),
        (
            ["experiment=main-result", "study.seeds=[1,1]"],
            "study.seeds holds a seed twice; give each once.",
        ),
        (
            ["study=search", "+study.arms.a=[]", "photos.held_out_devices=0"],
            "study=search judges its trials on devices that never train, and "
            "photos.held_out_devices=0 has none; raise it.",
        ),
        (
            ["name=../elsewhere"],
            "name: '../elsewhere' names a folder; use letters, digits, '-', '_', '.'.",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_the_way_out(
    refusal, overrides, message
):
    assert refusal(overrides) == message


def test_a_rule_without_a_bound_is_refused_where_the_server_protects_devices(
    refusal, monkeypatch
):
    monkeypatch.setattr(UniformMean, "sensitivity", None)
    assert refusal(["privacy/device=gaussian"]).startswith(
        "server.aggregation.rule=mean has no"
    )
    compose(["privacy/device=local"])


def test_the_noise_may_be_given_instead_of_epsilon():
    overrides = ["privacy.example.epsilon=null", "privacy.example.noise_multiplier=1.5"]
    assert compose(overrides).privacy.example.noise_multiplier == 1.5


@pytest.mark.parametrize(
    "address", ["auto", "ray://head:10001", "10.0.0.1:6379", "ray-head.example.org:6379"]
)
def test_an_address_of_a_cluster_is_a_host_with_a_port_or_auto(address):
    assert compose([f"simulation.address='{address}'"]).simulation.address == address


@pytest.mark.parametrize("name", ["a/b", "..", "", ".hidden", "-x", "a b", "é"])
def test_a_name_that_would_be_no_plain_folder_is_refused(refusal, name):
    assert refusal([f"name='{name}'"]).startswith(f"name: '{name}' names a folder; ")


def test_a_cohort_may_be_all_devices_and_of_an_unknown_number_any():
    assert compose(["server.cohort=120"]).server.cohort == compose([]).photos.devices
    folder = ["photos=folder", "photos.root=DIR", "photos.devices=null"]
    assert compose([*folder, "server.cohort=1e5"]).photos.devices is None
