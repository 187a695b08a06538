import pytest
import torch
from torch import nn

from client.training.layers import LAYERS
from client.training.recording import Recording, UnknownLayerError
from privacy.clipping.moments import coefficients


def recording_of(layer):
    """One device and one moment, whose weight is ``layer``'s own."""
    weight = layer.weight.requires_grad_(False)
    return Recording([weight], weight.flatten()[None].clone(), lists=(1, 1), known=LAYERS)


class Tied(nn.Module):
    """A ranker's stand-in: one trained layer in several roles."""

    def __init__(self, role):
        super().__init__()
        self.layer = nn.Linear(64, 64, bias=False)
        self.role = role

    def forward(self, inputs, where):
        found = {
            "twice": lambda: self.layer(inputs) + self.layer(inputs),
            "in a list": lambda: inputs @ torch.stack([self.layer.weight])[0],
            "a norm without a bias": lambda: nn.functional.layer_norm(
                inputs, (64,), self.layer.weight[0]
            ),
        }[self.role]()
        return found.sum(-1)


@pytest.mark.parametrize("role", ["twice", "in a list", "a norm without a bias"])
def test_a_parameter_in_a_role_that_is_not_known_is_refused_by_name(role):
    model = Tied(role)
    recording = recording_of(model.layer)
    with torch.enable_grad(), recording, pytest.raises(UnknownLayerError):
        model(torch.ones(1, 1, 2, 64), None)


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e8])
def test_a_moment_whose_photos_cancel_moves_the_sum_by_no_more_than_the_clip(scale):
    torch.manual_seed(1)
    layer = nn.Linear(64, 64, bias=False)
    recording = recording_of(layer)
    inputs = (torch.randn(64) * scale).expand(1, 6, 64).contiguous()
    with torch.enable_grad(), recording:
        layer(inputs)
    (recorded,) = recording.taken()
    gradient = torch.randn(6, 64)
    gradient[5] = -gradient[:5].sum(0)
    recorded.take(gradient[None])
    total = torch.zeros(1, 64 * 64, dtype=torch.float64)
    scales = coefficients(recorded.squared_norms().sqrt(), 0.1)
    recorded.add_to(recording.parts(total), scales)
    assert 0 < total.norm() <= 0.1 * (1 + 1e-6)


def test_rows_that_cancel_beyond_the_digits_of_their_norm_are_bounded_by_their_reach():
    """(1 + u)(1 - u) - 1 is -u², and the squares of its norm cancel to zero in float64."""
    unit, large = 2.0**-23, 2.0**30
    layer = nn.Linear(64, 64, bias=False)
    recording = recording_of(layer)
    inputs, gradient = torch.zeros(1, 6, 64), torch.zeros(1, 6, 64)
    inputs[0, :2, 0] = large * torch.tensor([1 - unit, 1])
    gradient[0, :2, 0] = large * torch.tensor([1 + unit, -1])
    with torch.enable_grad(), recording:
        layer(inputs)
    (recorded,) = recording.taken()
    recorded.take(gradient)
    total = torch.zeros(1, 64 * 64, dtype=torch.float64)
    scales = coefficients(recorded.squared_norms().sqrt(), 0.1)
    recorded.add_to(recording.parts(total), scales)
    # what is left of 2^60 is 2^14
    assert total.norm() <= 0.1
