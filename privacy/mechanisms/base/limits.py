"""Between which ends the mechanisms are tested, as types of their settings."""

from typing import Annotated

from annotated_types import Gt, Interval

LEAST_CLIP, MOST_CLIP = 1e-9, 1e6
"""L2 norms of a gradient or an update between which the mechanisms are tested. Far below, what
leaves would be lost in the last digits of float32 parameters."""

MOST_NOISE = 1e6
"""Largest noise in units of the clip: with it ε is 0 in every digit that is printed."""

MOST_INTEGER_NOISE = 256
"""The same in integers: 2^26 steps, beyond which the sampler's decisions leave 64 bits, over
the 2^18 steps of a clip. A run with more would end in its first step."""

Clip = Annotated[float, Interval(ge=LEAST_CLIP, le=MOST_CLIP)]
Epsilon = Annotated[float, Gt(0)]
Noise = Annotated[float, Interval(ge=0, le=MOST_NOISE)]
