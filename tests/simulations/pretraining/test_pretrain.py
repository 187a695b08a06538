"""Pre-training on a public split of a few devices."""

import torch

from ranking.model.build import build_ranker
from ranking.weights import load_weights
from simulations.pretraining.pretrain import SIDE, Lesson, pretrain


def test_a_lesson_lowers_the_loss_and_leaves_the_taste_alone(moments):
    lesson = Lesson(seed=0, steps=200)
    losses = [lesson.learn(moments) for _ in range(8)]
    assert losses[-1] < 0.9 * losses[0]
    assert lesson.ranker.list_ranker.taste.weight.eq(0).all()


def test_pre_training_writes_the_same_weights_twice_and_keeps_global_randomness(
    tmp_path, capsys
):
    rankers = []
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    for name in ("first", "second"):
        path = tmp_path / f"{name}.safetensors"
        pretrain(out=path, seed=1, devices=1, held_out=1)
        ranker = build_ranker("head", generator=torch.Generator().manual_seed(9))
        origin = load_weights(ranker, path)
        rankers.append(ranker.state_dict())
    assert (origin.seed, origin.side) == (1, SIDE)
    assert origin.command == "darkroom pretrain --seed 1"
    assert all(torch.equal(rankers[0][name], value) for name, value in rankers[1].items())
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert "1 of 1 devices" in capsys.readouterr().out
