"""How well a list model is judged, on readings of which it is known."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from photos.synthetic.attributes import NAMES
from ranking.model.ranker import Ranker
from simulations.pretraining import gradient_norms
from simulations.pretraining import list_figures as module
from simulations.pretraining.context_functions import FAMILIES, features
from simulations.pretraining.list_figures import (
    ListFigures,
    _normalised,
    explained_within,
    list_figures,
)


class Told(nn.Module):
    """A reader that gives what it was told."""

    def __init__(self, read: Tensor, logits: Tensor) -> None:
        super().__init__()
        self.read, self.logits = read, logits

    def forward(self, embeddings: Tensor, *, where: Tensor) -> tuple[Tensor, Tensor]:
        return self.read, self.logits


@pytest.fixture
def told(drawn, monkeypatch):
    """Makes a ranker that reads what it is told; nothing is trained of it."""
    monkeypatch.setattr(module, "gradient_norms", lambda *_: {"taste": 0.5})

    def told(read: Tensor, logits: Tensor, **changes) -> Ranker:
        ranker = drawn(**changes)
        ranker.list_ranker.reader = Told(read, logits)
        return ranker

    return told


def test_the_share_that_is_explained_is_worked_by_hand():
    """Within moments (−1, 1) is read for (−2, 2): 1 − 2/8. Then 3 and −3 for 0: 1 − 18/8.

    In the second feature nothing is read: all is left. Padding counts for nothing.
    """
    meant = torch.tensor(
        [[[10.0, 1.0], [14.0, 2.0], [9.0, 9.0]], [[5.0, 3.0], [5.0, 3.0], [0, 0]]]
    )
    read = torch.tensor(
        [[[1.0, 4.0], [3.0, 4.0], [7.0, 7.0]], [[0.0, 5.0], [0.0, 5.0], [8, 8]]]
    )
    where = torch.tensor([[True, True, False], [True, True, False]])
    assert explained_within(read, meant, where).tolist() == pytest.approx([1 - 2 / 8, 0])
    read[1, :2, 0] = torch.tensor([3.0, -3.0])
    assert float(explained_within(read, meant, where)[0]) == pytest.approx(1 - (2 + 18) / 8)


def test_who_reads_everything_explains_it_all_and_tells_every_scene(told, little, embedded):
    ranker = told(features(embedded.facts), one_hot(embedded.scenes, 8).float())
    figures = list_figures(ranker, little(), embedded, names=NAMES)
    assert list(figures.explained) == [*NAMES, *FAMILIES]
    assert list(figures.explained.values()) == pytest.approx([1.0] * 15)
    assert figures.scenes == 1
    assert figures.norms == {"taste": 0.5}


def test_a_family_has_the_mean_of_its_functions_and_the_rest_what_is_its_own(
    told, little, embedded
):
    """Of the ten deviations three are not read, and of the attributes not the first."""
    read = features(embedded.facts).clone()
    read[..., 0] = 0
    read[..., 11:14] = 0
    wrong = (embedded.scenes + 1) % 8
    figures = list_figures(
        told(read, one_hot(wrong, 8).float()), little(), embedded, names=NAMES
    )
    expected = dict.fromkeys([*NAMES, *FAMILIES], 1.0) | {NAMES[0]: 0.0, "deviation": 0.7}
    assert figures.explained == pytest.approx(expected, abs=1e-5)
    assert figures.scenes == 0


def test_families_that_are_not_read_have_no_figure(told, little, probes, embedded):
    read, logits = features(embedded.facts)[..., :11], torch.zeros(len(embedded.scenes), 8)
    figures = list_figures(
        told(read, logits, list=probes), little(list=probes), embedded, names=NAMES
    )
    assert list(figures.explained) == [*NAMES, "distance"]


@pytest.mark.parametrize(("sign", "worth"), [(1, 1.0), (0, 0.0)])
def test_the_best_order_is_worth_1_and_one_without_a_difference_0(embedded, sign, worth):
    found = _normalised(lambda _, where: sign * embedded.gains, embedded)
    assert found == pytest.approx(worth, abs=1e-6)


def test_judging_leaves_the_ranker_and_gradients_as_they_were(
    drawn, little, embedded, monkeypatch
):
    monkeypatch.setattr(gradient_norms, "GRADIENTS", 2)
    ranker, before = drawn(), drawn().state_dict()
    figures = list_figures(ranker, little(), embedded, names=NAMES)
    assert -1 < figures.ndcg < 1
    assert all(torch.equal(before[name], value) for name, value in ranker.state_dict().items())
    assert all(value.grad is None for value in ranker.parameters())
    assert torch.is_grad_enabled()


def test_the_figures_are_printed_with_two_or_three_decimals():
    figures = ListFigures(
        ndcg=0.51249, explained={"a": 0.5, "b": 0.25}, scenes=0.987, norms={"x": 1.005}
    )
    assert list(figures.lines()) == [
        "oracle-normalised NDCG@1 on public devices that were held out: 0.512",
        "variance explained within moments: a 0.50, b 0.25",
        "scenes told: 0.99",
        f"median gradient norm of a moment: x {1.005:.2f}",
    ]
