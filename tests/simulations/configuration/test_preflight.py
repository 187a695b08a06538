"""What only files and mathematics can tell stops a run before anything is written."""

import pytest
import torch
from PIL import Image

from client.training.isolation_check import NotIsolatedError
from ranking.weights import public_weights_path
from simulations.configuration import preflight
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.preflight import ready

FAST = ("photos.side=16", "ranking=linear", "ranking.weights=null")


def folder(device, feedback="favourite"):
    """A device of 20 moments, each with a photo of that feedback and one that is kept."""
    rows = ["photo,feedback"]
    for number in range(20):
        (device / f"{number}").mkdir(parents=True)
        for name in ("1.png", "2.png"):
            Image.new("RGB", (8, 8)).save(device / f"{number}" / name)
        rows.append(f"{number}/1.png,{feedback}")
    (device / "feedback.csv").write_text("\n".join(rows))


@pytest.fixture
def refused_when_ready(refused):
    return lambda *words: refused(ready, compose([*FAST, *words]))


def test_what_was_made_is_handed_on():
    config = compose([*FAST, "photos.devices=50", "photos.held_out_devices=3"])
    prepared = ready(config)
    assert (prepared.source.devices, prepared.source.held_out_devices) == (50, 3)
    found, expected = prepared.protection, config.protection(devices=50)
    assert found.example == expected.example
    assert found.device.mechanism == expected.device.mechanism


def test_a_cohort_larger_than_the_devices_that_are_found_is_refused(
    refused_when_ready, tmp_path
):
    for device in "abc":
        folder(tmp_path / device)
    words = ("photos=folder", f"photos.root={tmp_path}", "photos.held_out_devices=1")
    message = refused_when_ready(*words, "server.cohort=3", "privacy/device=none")
    expected = "server.cohort=3 exceeds the number of devices that train, 2; lower it."
    assert message == expected
    assert ready(compose([*FAST, *words, "server.cohort=2", "privacy/device=none"]))


@pytest.mark.parametrize("lost", ["is a file", "is empty"])
def test_weights_that_cannot_be_used_are_refused_by_their_name(
    refused_when_ready, tmp_path, lost
):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"" if lost == "is empty" else b"no weights at all")
    message = refused_when_ready(f"ranking.weights={path}")
    assert message.startswith(f"ranking.weights={path}: ")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("ranking.list.width=96",), "ranking.list.width=96 where the file has 64"),
        (
            ("ranking.encoder.depth=1", "ranking.list.attend=false"),
            "ranking.encoder.depth=1 where the file has 2, "
            "ranking.list.attend=false where the file has true",
        ),
        (("ranking/list=probes",), "ranking/list=probes where the file has transformer"),
    ],
)
def test_public_weights_of_other_sizes_are_refused_with_both(refused_when_ready, words, named):
    path = public_weights_path()
    assert refused_when_ready("ranking.weights=public", *words) == (
        f"ranking.weights=public: {path} holds weights of other sizes: {named}; set these as "
        "the file has them, name other weights, or make some with `darkroom pretrain`."
    )


@pytest.mark.parametrize(
    "words",
    [
        ("ranking.list.width=96", "ranking.list.depth=3"),
        ("ranking.encoder.width=32", "ranking.encoder.depth=0"),
        ("ranking/list=probes", "ranking.list.own=3"),
        ("ranking=lora", "ranking.rank=1", "ranking.list.context=0"),
    ],
)
def test_random_weights_have_any_sizes(words):
    assert ready(compose([*FAST, "privacy/device=none", *words]))


def test_a_cache_is_made_and_one_that_cannot_be_is_refused(refused_when_ready, tmp_path):
    ready(compose([*FAST, f"simulation.cache={tmp_path / 'a' / 'b'}"]))
    assert not list((tmp_path / "a" / "b").iterdir())
    (tmp_path / "file").touch()
    message = refused_when_ready(f"simulation.cache={tmp_path / 'file'}")
    assert message == (
        f"simulation.cache={tmp_path / 'file'} cannot keep files: File exists; name another "
        "folder or null."
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_an_accelerator_that_is_not_there_is_refused(refused_when_ready):
    message = refused_when_ready("simulation.accelerator=cuda")
    assert message.startswith("simulation.accelerator=cuda: ")


def test_opacus_is_for_the_host_alone(refused_when_ready, monkeypatch):
    monkeypatch.setattr(preflight, "accelerator", lambda _: torch.device("cuda"))
    words = ("simulation.accelerator=cuda", "simulation/engine=opacus")
    assert refused_when_ready(*words).startswith(
        "simulation.accelerator=cuda is not for simulation/engine=opacus; take "
    )


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("privacy/device=none",), True),
        (("privacy/example=none",), True),
        (("privacy/example=none", "privacy/device=none"), False),
        (
            (
                "privacy/example=none",
                "privacy/device=none",
                "simulation.algorithm=centralised",
            ),
            False,
        ),
    ],
)
def test_whether_an_engine_keeps_moments_apart_is_asked_where_devices_promise_it(
    monkeypatch, refused_when_ready, words, asked
):
    def broken(*_, **__):
        raise NotIsolatedError("this machine mixes moments; use another engine.")

    monkeypatch.setattr(preflight, "prove_isolation", broken)
    if asked:
        assert refused_when_ready(*words) == "this machine mixes moments; use another engine."
    else:
        assert ready(compose([*FAST, *words]))


def test_a_promise_that_cannot_be_met_is_refused():
    config = compose([*FAST, "privacy.example.epsilon=1e-9"])
    with pytest.raises(ValueError, match=r"^privacy\.example\.epsilon=1e-09 cannot be met"):
        ready(config)


@pytest.mark.parametrize(
    ("feedback", "words", "sentence"),
    [
        (
            "keep",
            (),
            "photos=folder has no moment to train on whose photos differ in feedback, so that "
            "nothing would be learned; write what owners did with their photos into "
            "ROOT/<device>/feedback.csv.",
        ),
        (
            "favourite",
            ("photos.held_out_share=0",),
            "photos=folder holds out no moment whose photos differ in feedback, so that every "
            "figure would be nan; raise photos.held_out_share=0, or write what owners did with "
            "their photos into ROOT/<device>/feedback.csv.",
        ),
    ],
)
def test_photographs_without_feedback_are_refused_before_they_cost_anything(
    refused_when_ready, tmp_path, feedback, words, sentence
):
    for device in "abc":
        folder(tmp_path / device, feedback)
    words = (f"photos.root={tmp_path}", "photos.held_out_devices=1", "server.cohort=2", *words)
    assert refused_when_ready("photos=folder", "privacy/device=none", *words) == sentence
