"""What a worker says over its pipe, told by whoever holds the other end."""

import os
import threading
import time
from multiprocessing import Pipe

import numpy as np
import pytest
import torch

from simulations.federation import worker_process

SECRET = "IMG_1234.jpg"


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(monkeypatch):
    """The run's end of a worker in a thread; what it trains is ``train`` of the test."""
    ours, theirs = Pipe()
    ended = threading.Thread(target=worker_process.main, args=(os.dup(theirs.fileno()),))
    theirs.close()

    def run(train):
        monkeypatch.setattr("client.local_device.train_together", train)
        ended.start()
        return ours

    yield run
    ours.close()
    ended.join(30)
    assert not ended.is_alive()


def heard(run):
    """What is said next, but for signs of life."""
    while (said := run.recv())[0] == "alive":
        pass
    return said


def test_parts_are_answered_in_turn_until_the_run_is_over(run):
    def train(devices, task, frozen):
        yield from (np.float32([device, task, *frozen()]) for device in devices)

    line = run(train)
    assert heard(line) == ("ready", None)
    for task in (3, 4):
        line.send(([7, 8], task, [1, 2]))
        kind, what = heard(line)
        assert kind == "trained"
        assert what.tolist() == [[7, task, 1, 2], [8, task, 1, 2]]


def test_what_fails_is_said_by_its_kind_alone_and_the_next_part_is_taken(run):
    def train(devices, task, frozen):
        if task == 3:
            raise OSError(SECRET)
        return [np.float32([1])]

    line = run(train)
    heard(line)
    line.send(([], 3, None))
    assert heard(line) == ("failed", "OSError")
    line.send(([], 4, None))
    assert heard(line)[0] == "trained"


def test_a_worker_at_work_says_that_it_is_alive_and_an_idle_one_nothing(run, monkeypatch):
    monkeypatch.setattr(worker_process, "BEAT", 0.01)

    def train(devices, task, frozen):
        time.sleep(0.3)
        return [np.float32([1])]

    line = run(train)
    heard(line)
    assert not line.poll(0.1)
    line.send(([], 3, None))
    assert [line.recv()[0] for _ in range(3)] == ["alive"] * 3
    heard(line)
    assert not line.poll(0.1)


def test_a_worker_at_work_ends_when_its_run_is_gone(run, monkeypatch):
    monkeypatch.setattr(worker_process, "BEAT", 0.01)
    gone = threading.Event()
    monkeypatch.setattr(worker_process.os, "_exit", lambda status: gone.set())
    at_work, line = threading.Event(), None

    def train(devices, task, frozen):
        at_work.set()
        assert gone.wait(30)
        return [np.float32([1])]

    line = run(train)
    heard(line)
    line.send(([], 3, None))
    assert at_work.wait(30)
    line.close()
    assert gone.wait(30)
