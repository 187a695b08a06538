"""Rounds of pfl-research on the work of ``peer_benchmark``; run by the interpreter that has it.

    python -m simulations.benchmarks.pfl_peer ROUNDS   # prints the seconds of each

It does what its own benchmarks do: one model, one user after another, no privacy.
"""

import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pfl.model.pytorch as pfl_pytorch  # it must come first
import torch
from pfl.aggregate.simulate import SimulatedBackend
from pfl.algorithm.base import NNAlgorithmParams
from pfl.algorithm.federated_averaging import FederatedAveraging
from pfl.callback.base import TrainingProcessCallback
from pfl.data.dataset import Dataset
from pfl.data.federated_dataset import FederatedDataset
from pfl.data.sampling import MinimizeReuseUserSampler
from pfl.hyperparam import NNTrainHyperParams
from pfl.metrics import Metrics, Weighted
from torch import Tensor, nn

from ranking.losses.registry import LOSSES
from ranking.model.list_ranker import ListRanker
from simulations.benchmarks.peer_work import BATCH, DEVICES, EMBEDDING, LIST, LR, WARM_UP, lists


class Listwise(nn.Module):
    """The ranker's list part as pfl wants it, of which the list model is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.ranker = ListRanker(LIST, width=EMBEDDING)
        for part in (self.ranker.token, self.ranker.scene_token, self.ranker.taste):
            part.requires_grad_(False)
        self.ranker.reader.scene.requires_grad_(False)

    def loss(self, inputs: Tensor, gains: Tensor) -> Tensor:
        """Mean loss of some lists."""
        where = torch.ones(gains.shape, dtype=torch.bool)
        return LOSSES["softmax"](self.ranker(inputs, where=where), gains, where=where).mean()

    def metrics(self, inputs: Tensor, gains: Tensor) -> dict[str, Any]:
        """What pfl asks for where it evaluates."""
        return {"loss": Weighted(float(self.loss(inputs, gains)) * len(inputs), len(inputs))}


@dataclass
class Stopwatch(TrainingProcessCallback):  # type: ignore[misc]
    """Notes when each round ended."""

    ends: list[float] = field(default_factory=list)

    def after_central_iteration(
        self, aggregate_metrics: Metrics, model: Any, *, central_iteration: int
    ) -> tuple[bool, Metrics]:
        """Goes on."""
        self.ends.append(time.perf_counter())
        return False, Metrics()


def train(module: Listwise, *, rounds: int) -> list[float]:
    """Trains ``module`` for ``rounds`` rounds and returns the seconds of all but the first."""
    torch.set_num_threads(1)
    data = {str(user): list(lists(user)) for user in range(DEVICES)}
    users = FederatedDataset(
        lambda user: Dataset(data[user]), MinimizeReuseUserSampler(list(data))
    )
    trained = [value for value in module.parameters() if value.requires_grad]
    watch = Stopwatch()
    FederatedAveraging().run(
        NNAlgorithmParams(
            central_num_iterations=rounds,
            evaluation_frequency=rounds,
            train_cohort_size=DEVICES,
            val_cohort_size=0,
        ),
        SimulatedBackend(training_data=users, val_data=users),
        pfl_pytorch.PyTorchModel(module, torch.optim.SGD, torch.optim.SGD(trained, lr=1.0)),
        NNTrainHyperParams(local_num_epochs=1, local_learning_rate=LR, local_batch_size=BATCH),
        callbacks=[watch],
    )
    seconds: list[float] = np.diff(watch.ends).tolist()
    return seconds


if __name__ == "__main__":
    print(json.dumps(train(Listwise(), rounds=int(sys.argv[1]) + WARM_UP)[WARM_UP - 1 :]))
