"""Opacus' optimizer with Darkroom's clipping, noise and public denominator."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.optim import Optimizer

from client.opacus_parts import DPOptimizer
from privacy.clipping import add_clipped, precise
from privacy.dpsgd import release
from privacy.noise import Stream
from protocol.messages import Work


class MomentOptimizer(DPOptimizer):  # type: ignore[misc]
    """One visit's DP-SGD steps over ``grad_sample`` [moments, …] of every parameter.

    Opacus keeps the course of a step, skipped ones that only accumulate included. What protects
    is ours: the clipped sum and the noise of ``privacy``, and a denominator that is public.

    Attributes:
        non_finite: Per-moment gradients that counted as zero so far.
    """

    def __init__(self, optimizer: Optimizer, work: Work, *, noise: Iterator[Stream]) -> None:
        """Wraps a plain optimizer.

        Args:
            optimizer: Applies the released gradient.
            work: Gives the clipping norm, the noise multiplier and the denominator.
            noise: A stream of its own for every step.
        """
        super().__init__(
            optimizer,
            noise_multiplier=work.noise_multiplier,
            max_grad_norm=work.clip,
            expected_batch_size=None,
            loss_reduction="sum",
        )
        self.non_finite = 0
        self._denominator = work.denominator
        self._deviation = work.deviation
        self._noise = noise
        self._total: Tensor | None = None

    def clip_and_accumulate(self) -> None:
        """Adds the clipped gradients of the moments at hand to the step's sum."""
        gradients = torch.cat([samples.flatten(1) for samples in self.grad_samples], dim=1)
        if self._total is None:
            self._total = precise(gradients.new_zeros(gradients.shape[1]))
        self.non_finite += add_clipped(self._total, gradients, self.max_grad_norm)

    def add_noise(self) -> None:
        """Releases the step's sum, divided, into the gradients and forgets it."""
        if self._total is None:
            raise RuntimeError("a step is released before its gradients were clipped.")
        released = release(
            self._total.cpu().numpy(), deviation=self._deviation, stream=next(self._noise)
        )
        self._total = None
        sizes = [parameter.numel() for parameter in self.params]
        parts = torch.split(torch.from_numpy(released / self._denominator), sizes)
        for parameter, part in zip(self.params, parts, strict=True):
            parameter.grad = part.to(parameter.dtype).view_as(parameter)
