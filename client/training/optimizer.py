"""Opacus' optimizer with Darkroom's clipping, noise and public denominator."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.optim import Optimizer

from client.training.opacus_parts import DPOptimizer
from client.training.release import StepSum, step_release
from privacy.clipping.moments import add_clipped, precise
from privacy.integers.grid import IntegerGrid
from privacy.noise import Stream
from protocol.messages import VisitTerms


class MomentOptimizer(DPOptimizer):  # type: ignore[misc]
    """One visit's DP-SGD steps over ``grad_sample`` [moments, …] of every parameter.

    Opacus keeps the course of a step, skipped ones that only accumulate included. What protects
    is ours: the clipped sum and the noise of ``privacy``, and a denominator that is public.

    Attributes:
        non_finite: Per-moment gradients that counted as zero so far.
    """

    def __init__(
        self, optimizer: Optimizer, terms: VisitTerms, *, noise: Iterator[Stream]
    ) -> None:
        """Wraps a plain optimizer.

        Args:
            optimizer: Applies the released gradient.
            terms: Gives the clipping norm, the noise multiplier and the denominator.
            noise: A stream of its own for every step.
        """
        super().__init__(
            optimizer,
            noise_multiplier=terms.noise_multiplier,
            max_grad_norm=terms.clip,
            expected_batch_size=None,
            loss_reduction="sum",
        )
        self.non_finite = 0
        self._terms = terms
        self._noise = noise
        self._total: StepSum | None = None

    def clip_and_accumulate(self) -> None:
        """Adds the clipped gradients of the moments at hand to the step's sum."""
        gradients = torch.cat([samples.flatten(1) for samples in self.grad_samples], dim=1)
        total, missing = self._clipped(gradients)
        self._total = total if self._total is None else self._total + total
        self.non_finite += missing

    def _clipped(self, gradients: Tensor) -> tuple[StepSum, int]:
        """The sum of [moments, trainable] gradients, clipped, and how many were not finite."""
        if self._terms.integers:
            grid = IntegerGrid(clip=self._terms.clip)
            return grid.integers_of_rows(gradients.cpu().numpy())
        total = precise(gradients.new_zeros(gradients.shape[1]))
        missing = add_clipped(total, gradients, self._terms.clip)
        return total.cpu().numpy(), missing

    def add_noise(self) -> None:
        """Releases the step's sum, divided, into the gradients and forgets it."""
        if self._total is None:
            raise RuntimeError("a step is released before its gradients were clipped.")
        released = step_release(self._total, self._terms, stream=next(self._noise))
        self._total = None
        sizes = [parameter.numel() for parameter in self.params]
        parts = torch.split(torch.from_numpy(released / self._terms.denominator), sizes)
        for parameter, part in zip(self.params, parts, strict=True):
            parameter.grad = part.to(parameter.dtype).view_as(parameter)
