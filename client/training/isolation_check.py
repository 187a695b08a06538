"""Tries at start-up, on the machine at hand, that a moment keeps its bits in any batch."""

import numpy as np
import torch
from torch import Tensor

from client.embeddings.examples import PHOTOS_AT_ONCE, embed
from client.embeddings.readings import MOMENTS_AT_ONCE, read
from client.engine import Examples
from client.isolation import LEAST_MOMENTS, SHORTEST
from client.training.cohort_batch import Batch, Shape, most_moments
from client.training.gradients import OfMoments
from ranking.model.encoder import PhotoEncoder
from ranking.model.list_ranker import ListRanker

EXPONENTS = 12
"""The check's parameters are scaled by powers of two up to this, up and down: far enough that
one other bit of rounding becomes another gradient."""

PHOTOS = (SHORTEST, 2 * SHORTEST)
"""Photos of the check's longest moments: the least that is padded to, and twice as many."""

DEVICES, MOMENTS = 7, 5
"""A batch of the check where any size will do: odd, so that no vector register ends evenly."""

SPREAD = 0.3
"""Standard deviation of the check's ordinary parameters: that of layers that were trained."""


class NotIsolatedError(ValueError):
    """On this machine the rounding of one moment depends on the others in its batch."""


def check_isolation(
    gradients: OfMoments, *, engine: str, size: int, photo: tuple[int, ...]
) -> None:
    """Refuses an engine in whose batches a moment does not keep its bits.

    Moments are computed alone and then in full batches at other places, with other devices and
    other parameters beside them, for ordinary parameters and for hostile ones.

    Args:
        gradients: What the engine computes gradients with.
        engine: Its name, for the message.
        size: Number of trained parameters.
        photo: Shape of a photo's input: features, or channels and sides.

    Raises:
        NotIsolatedError: A gradient has other bits in another batch.
    """
    if gradients.accelerator.type == "mps":
        raise NotIsolatedError(
            f"simulation.accelerator=mps has no float64, in which simulation/engine={engine} "
            "adds up moments; use simulation.accelerator=cpu."
        )
    draws = torch.Generator().manual_seed(0)
    for hostile in (False, True):
        for length in PHOTOS:
            parameters, batch = _moved(
                _full(gradients.shape, size, photo, length, hostile, draws),
                gradients.accelerator,
            )
            if not _keeps(gradients, parameters, batch):
                raise NotIsolatedError(
                    f"simulation/engine={engine}: with this PyTorch on this processor the "
                    "rounding of a moment depends on the others in its batch, so that no ε of "
                    "a moment would hold; use simulation/engine=alone or another machine."
                )


def _keeps(gradients: OfMoments, parameters: Tensor, batch: Batch) -> bool:
    """Whether the first moment, one amid the batch and the last keep their bits alone."""
    together = gradients.of_moments(parameters, batch)
    devices, moments = batch.where.shape[:2]
    places = [(0, 0), (devices // 2, moments // 2), (devices - 1, moments - 1)]
    return all(
        same_bits(
            gradients.of_moments(parameters[d : d + 1], _alone(batch, d, m, gradients.shape))[
                0, 0
            ],
            together[d, m],
        )
        for d, m in places
    )


def check_embeddings(encoder: PhotoEncoder, *, side: int) -> None:
    """Refuses an encoder whose embedding of a photo depends on the other photos.

    Raises:
        NotIsolatedError: An embedding has other bits among other photos.
    """
    draws = np.random.default_rng(0)
    photos = draws.integers(0, 256, (PHOTOS_AT_ONCE + 1, side, side, 3), dtype=np.uint8)
    together = embed(encoder, photos)
    for place in (0, PHOTOS_AT_ONCE - 1, PHOTOS_AT_ONCE):
        if not same_bits(embed(encoder, photos[place : place + 1])[0], together[place]):
            raise NotIsolatedError(
                "with this PyTorch on this processor the embedding of a photo depends on the "
                "others, so that no ε of a moment would hold; use another machine."
            )


def check_readings(list_ranker: ListRanker, *, width: int) -> None:
    """Refuses a list model whose reading of a moment depends on the other moments.

    Args:
        list_ranker: The list model.
        width: Numbers of an embedding.

    Raises:
        NotIsolatedError: A moment is read in other bits among other moments.
    """
    draws = torch.Generator().manual_seed(0)
    count, longest = MOMENTS_AT_ONCE + 1, max(PHOTOS)
    where = torch.arange(longest) < torch.randint(2, longest + 1, (count, 1), generator=draws)
    inputs = torch.randn(count, longest, width, generator=draws) * where.unsqueeze(-1)
    together = read(list_ranker, _moments(inputs, where)).inputs
    for row in (0, MOMENTS_AT_ONCE - 1, MOMENTS_AT_ONCE):
        only = slice(row, row + 1)
        alone = read(list_ranker, _moments(inputs[only], where[only])).inputs[0]
        if not same_bits(alone, together[row]):
            raise NotIsolatedError(
                "with this PyTorch on this processor what is read of a moment depends on the "
                "others, so that no ε of a moment would hold; use another machine."
            )


def _moments(inputs: Tensor, where: Tensor) -> Examples:
    numbers = torch.arange(len(where))
    return Examples(inputs=inputs, gains=where.float(), where=where, numbers=numbers)


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two float32 tensors are equal bit for bit; any NaN equals any other.

    A moment with a NaN counts as zero, whichever NaN it is.
    """
    bits = (one.contiguous().view(torch.int32), other.contiguous().view(torch.int32))
    return bool(((bits[0] == bits[1]) | (one.isnan() & other.isnan())).all())


def _full(
    shape: Shape,
    size: int,
    photo: tuple[int, ...],
    length: int,
    hostile: bool,
    draws: torch.Generator,
) -> tuple[Tensor, Batch]:
    """Parameters [devices, size] and a batch of random moments, full but for a few."""
    pixels = len(photo) > 1
    devices = shape.devices if shape.fixed else min(2 if pixels else DEVICES, shape.devices)
    moments = 3 if pixels else MOMENTS
    if shape.fixed:
        moments = most_moments(shape, devices * length * torch.Size(photo).numel())
    lists = (devices, max(LEAST_MOMENTS, moments), length)
    parameters = SPREAD * torch.randn(devices, size, generator=draws)
    if hostile:
        exponents = torch.randint(-EXPONENTS, EXPONENTS + 1, (devices, size), generator=draws)
        parameters *= torch.exp2(exponents)
    photos = torch.randint(2, length + 1, lists[:2], generator=draws)
    where = torch.arange(length) < photos[..., None]
    inputs = torch.rand(*lists, *photo, generator=draws)
    inputs[~where] = 0
    gains = torch.randint(0, 4, lists, generator=draws).float() * where
    return parameters, Batch(inputs=inputs, gains=gains, where=where)


def _moved(full: tuple[Tensor, Batch], to: torch.device) -> tuple[Tensor, Batch]:
    parameters, batch = full
    moved = Batch(
        inputs=batch.inputs.to(to), gains=batch.gains.to(to), where=batch.where.to(to)
    )
    return parameters.to(to), moved


def _alone(batch: Batch, device: int, moment: int, shape: Shape) -> Batch:
    """One moment by itself, with the padding that fills its batch."""
    moments = batch.where.shape[1] if shape.fixed else LEAST_MOMENTS
    devices = shape.devices if shape.fixed else 1

    def only(values: Tensor) -> Tensor:
        own = values.new_zeros(devices, moments, *values.shape[2:])
        own[0, 0] = values[device, moment]
        return own

    return Batch(inputs=only(batch.inputs), gains=only(batch.gains), where=only(batch.where))
