import pytest
import torch
from torch import nn

from client.training.layers import LAYERS
from client.training.recording import Recording
from privacy.clipping.moments import coefficients


def recording_of(layer):
    """One device and one moment, whose weight is ``layer``'s own."""
    weight = layer.weight.requires_grad_(False)
    return Recording([weight], weight.flatten()[None].clone(), lists=(1, 1), known=LAYERS)


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
