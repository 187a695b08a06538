"""Devices that train together: each answers as it would alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from client import local_device
from client.app import train_cohort
from protocol.codec import decode_reply
from protocol.messages import Declined, Update


def together(node, devices, task, **given):
    owns = [node.context(device, node.booked()) for device in devices]
    return [
        decode_reply(one.content, size=len(task.parameters))
        for one in train_cohort(node.asked(task, owns), **given)
    ]


@pytest.mark.parametrize("devices", [[0, 1, 2, 8], [0, 9, 1]])
def test_devices_that_train_together_answer_as_each_would_alone(libraries, node, devices):
    task = node.task()
    alone = [together(node, [device], task)[0] for device in devices]
    found = together(node, devices, task)
    for one, other in zip(found, alone, strict=True):
        assert one.delta == pytest.approx(
            other.delta, abs=1e-5 * float(np.abs(other.delta).max())
        )


def test_devices_stand_in_elsewhere_and_one_after_another_when_that_fails(libraries, node):
    task = node.task()
    expected = together(node, [0, 1], task)
    seen = []

    def elsewhere(devices, given, frozen):
        seen.append(([own.device for own in devices], len(frozen())))
        return local_device.train_together(devices, given, frozen)

    def nowhere(devices, given, frozen):
        raise RuntimeError(node.secret)

    for stand_in in (elsewhere, nowhere):
        found = together(node, [0, 1], task, together=stand_in)
        for one, other in zip(found, expected, strict=True):
            assert one.delta == pytest.approx(other.delta, abs=1e-6)
    assert seen == [([0, 1], len(task.frozen))]


def test_cohorts_that_fail_in_several_threads_at_once_disturb_no_device(libraries, node):
    task = node.task()
    expected = together(node, range(6), task)

    def nowhere(devices, given, frozen):
        raise RuntimeError(node.secret)

    with ThreadPoolExecutor(3) as threads:
        parts = threads.map(
            lambda part: together(node, part, task, together=nowhere), [[0, 1], [2, 3], [4, 5]]
        )
        found = [one for part in parts for one in part]
    for one, other in zip(found, expected, strict=True):
        assert one.delta == pytest.approx(other.delta, abs=1e-6)


def test_a_device_with_several_messages_in_one_part_answers_them_in_turn(libraries, node):
    task, own = node.task(), node.context(0, node.booked())
    replies = train_cohort(node.asked(task, [own] * 3))
    found = [decode_reply(one.content, size=len(task.parameters)) for one in replies]
    assert [type(one) for one in found] == [Update, Update, Declined]
    assert own.state["device"]["participations"] == 2


def test_a_device_without_moments_trains_with_others_where_pixels_are_the_inputs(
    libraries, node, caplog
):
    task = node.task(trained="all")
    owns = [node.context(device, node.booked(trained="all")) for device in (0, 8)]
    replies = train_cohort(node.asked(task, owns))
    assert not any(one.has_error() for one in replies)
    assert "failed" not in caplog.text
