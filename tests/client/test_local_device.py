"""What one device works with: its library, its model, its secret draws."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from client import local_device
from client.embeddings import device_photos
from client.embeddings.examples import embed, examples
from client.embeddings.lru_cache import LruCache
from client.embeddings.readings import read
from client.evaluation import evaluate
from client.local_device import MODELS, LocalDevice
from client.sections import read_sections
from photos.split import held_out_moments, training_moments
from protocol.messages import Update
from ranking.losses.registry import LOSSES


def test_a_library_without_moments_takes_part_like_any_other(libraries, node):
    update = node.reply(node.task(), node.context(8, node.config()))
    assert isinstance(update, Update)
    assert update.delta.any()


def test_a_library_is_embedded_once(libraries, node):
    own, other = node.context(0, node.config()), node.context(1, node.config())
    task = node.task()
    for number in (1, 2):
        node.reply(replace(task, round=number), own)
    node.reply(task, other)
    assert libraries.asked == [0, 1]


def test_seeded_devices_repeat_and_rounds_attempts_and_devices_differ(libraries, node):
    task = node.task()
    nothing = node.config()
    asked = [
        (8, task),
        (8, task),
        (8, replace(task, round=2)),
        (8, replace(task, attempt=1)),
    ]
    found = [node.reply(one, node.context(device, nothing)).delta for device, one in asked]
    found.append(node.reply(node.task(seed=4), node.context(8, node.config(seed=4))).delta)
    assert np.array_equal(found[0], found[1])
    for other in found[2:]:
        assert not np.allclose(found[0], other)


def test_secure_devices_never_repeat(libraries, node):
    task = node.task()
    one, other = (
        node.reply(task, node.context(0, node.config(noise="secure"))) for _ in range(2)
    )
    assert not np.allclose(one.delta, other.delta)


def test_a_run_without_privacy_repeats_however_secure_its_noise_would_be(libraries, node):
    task = node.task(private=False)
    text = node.config(mechanism="none", noise="secure")
    one, other = (node.reply(task, node.context(0, text)) for _ in range(2))
    assert np.array_equal(one.delta, other.delta)


@pytest.fixture
def device_of(node):
    """The device of a number under the settings of ``node``, without Flower."""

    def made(number=0, *, text=None, **settings):
        return LocalDevice(
            device=number, sections=read_sections(text or node.config(**settings))
        )

    return made


def trained(device, task):
    return device.train(task, lambda: task.frozen)


def test_the_digest_of_a_frozen_part_is_that_of_the_task(device_of, node):
    task = node.task()
    assert device_of().digest(task.frozen) == task.digest
    assert device_of().digest(task.frozen * 2) != task.digest


def test_what_is_trained_on_nothing_is_the_noise_of_a_library_without_moments(
    libraries, device_of, node
):
    task, device = node.task(), device_of(8)
    noise = device.train_on_nothing(task, lambda: task.frozen)
    assert np.array_equal(trained(device, task), noise)
    assert libraries.asked == [8]


def test_a_private_device_that_cannot_read_its_library_sends_the_same_noise(
    libraries, device_of, node, caplog
):
    task, device = node.task(), device_of(9)
    noise = device.train_on_nothing(task, lambda: task.frozen)
    assert np.array_equal(trained(device, task), noise)
    assert "cannot be used (ValueError)" in caplog.text
    assert node.secret not in caplog.text


def test_without_privacy_a_library_that_cannot_be_read_is_an_error(libraries, device_of, node):
    with pytest.raises(ValueError, match=node.secret):
        trained(device_of(9, mechanism="none"), node.task(private=False))


@pytest.mark.parametrize(("mechanism", "private"), [("dpsgd", False), ("none", True)])
def test_terms_that_are_not_those_of_the_run_are_refused(
    libraries, device_of, node, mechanism, private
):
    with pytest.raises(ValueError, match="terms are not those of the run"):
        trained(device_of(mechanism=mechanism), node.task(private=private))
    assert not libraries.asked


def test_an_update_leaves_clipped_where_the_terms_ask_for_it(libraries, device_of, node):
    task = node.task()
    short = replace(task, terms=replace(task.terms, update_clip=0.01))
    sent, whole = trained(device_of(), short), trained(device_of(), task)
    assert np.linalg.norm(whole) > 1
    assert np.linalg.norm(sent) == pytest.approx(0.01, rel=1e-4)
    assert np.dot(sent, whole) == pytest.approx(0.01 * np.linalg.norm(whole), rel=1e-4)


def test_a_visit_has_the_training_moments_and_figures_are_of_those_held_out(
    libraries, device_of, node, lab
):
    task, device = node.task(private=False), device_of(mechanism="none")
    whole, share = lab.library(0, [4, 3, 5, 2, 6, 3]), {"seed": 3, "held_out_share": 0.4}
    with device.model(task.digest, lambda: task.frozen) as lent:
        visit = device.visit(task, lent)
        lent.take(task.parameters)
        held = examples(held_out_moments(whole, **share), encoder=lent.frozen_encoder)
        expected = evaluate(lent.ranker, held, loss=LOSSES["softmax"], kept="embeddings")
    trained_on = [one.number for one in training_moments(whole, **share)]
    assert visit.examples.numbers.tolist() == trained_on
    assert expected["lists"] == len(held.numbers) > 0
    assert device.evaluate(task, lambda: task.frozen) == expected


def test_the_frozen_part_is_asked_for_once_for_each_model_that_is_remembered(
    libraries, device_of, node
):
    device, task, asked = device_of(mechanism="none"), node.task(private=False), []

    def model(name):
        with device.model(name, lambda: asked.append(name) or task.frozen) as lent:
            return lent

    first = model("0")
    assert model("0") is first
    for number in range(1, MODELS + 1):
        model(str(number))
    assert model("0") is not first
    assert asked == ["0", *map(str, range(1, MODELS + 1)), "0"]


def test_a_model_that_failed_its_borrower_is_made_anew(libraries, device_of, node):
    device, task, lent = device_of(mechanism="none"), node.task(private=False), []

    def fails():
        with device.model(task.digest, lambda: task.frozen) as model:
            lent.append(model)
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            fails()
    assert lent[0] is not lent[1]


@pytest.mark.parametrize(("mechanism", "proven"), [("dpsgd", 1), ("none", 0)])
def test_a_private_device_tries_its_engine_and_trains_on_one_thread(
    libraries, device_of, node, monkeypatch, mechanism, proven
):
    tried, threads = [], []
    monkeypatch.setattr(local_device, "prove_isolation", lambda *_, **on: tried.append(on))
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    trained(device_of(mechanism=mechanism), node.task(private=mechanism == "dpsgd"))
    assert tried == [{"on": "cpu", "side": 16}] * proven
    assert threads == [1] * proven


@pytest.mark.parametrize("part", ["taste", "taste_scenes", "linear"])
def test_a_device_that_weighs_readings_keeps_them_and_reads_none_twice(
    libraries, device_of, node, part
):
    """Of each photo 33 features, 8 scenes and an embedding of 64, by its list model."""
    device, task = device_of(trained=part), node.task(trained=part)
    with device.model(task.digest, lambda: task.frozen) as lent:
        first = device.visit(task, lent).examples
        embedded = examples(
            training_moments(libraries.library(0), seed=3, held_out_share=0.4),
            encoder=lent.frozen_encoder,
        )
        expected = read(lent.ranker.list_ranker, embedded)
        again = device.visit(task, lent).examples
    assert first.inputs.shape[2:] == (33 + 8 + 64,)
    assert torch.equal(first.inputs, expected.inputs)
    assert again is first


@pytest.mark.parametrize(
    ("part", "kept"), [("taste", ["0.safetensors"]), ("head", ["0.safetensors"]), ("all", [])]
)
def test_embeddings_are_kept_on_disk_where_a_folder_is_named_and_pixels_are_not(
    libraries, device_of, node, monkeypatch, tmp_path, part, kept
):
    text = node.config(trained=part, mechanism="none")
    named = text.replace('"cache": null', f'"cache": "{tmp_path}"')
    task = node.task(trained=part, private=False)
    found = []
    for _ in range(2):
        monkeypatch.setattr(local_device, "_kept", LruCache(weigh=lambda _: 1))
        found.append(trained(device_of(text=named), task))
    assert [path.name for path in tmp_path.rglob("*.*")] == kept
    assert libraries.asked == ([0] if kept else [0, 0])
    assert np.array_equal(*found)


def test_photographs_that_were_embedded_once_are_not_embedded_again(
    libraries, device_of, node, monkeypatch, tmp_path
):
    """A library is read each time, for a photograph may have changed."""
    plain = json.loads(node.config(mechanism="none"))
    plain["photos"] = {"source": "folder", "root": "DIR", "devices": None, "side": 16}
    plain["photos"] |= {"held_out_devices": 0, "held_out_share": 0.4}
    plain["simulation"]["cache"] = str(tmp_path)
    embedded, task, found = [], node.task(private=False), []
    monkeypatch.setattr(
        device_photos, "embed", lambda encoder, some: counted(encoder, some, embedded)
    )
    for _ in range(2):
        monkeypatch.setattr(local_device, "_kept", LruCache(weigh=lambda _: 1))
        monkeypatch.setattr(device_photos, "_remembered", LruCache(weigh=lambda _: 1))
        found.append(trained(device_of(text=json.dumps(plain)), task))
        embedded.append("run")
    assert libraries.asked == [0, 0]
    assert embedded.index("run") > 0
    assert embedded[-2:] == ["run", "run"]
    assert np.array_equal(*found)


def counted(encoder, some, embedded):
    """Embeds and notes how many photos there were."""
    embedded.append(len(some))
    return embed(encoder, some)
