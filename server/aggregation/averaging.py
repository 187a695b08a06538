"""The average of the last parameters: less noise than any of them, at no cost of privacy."""

from collections import deque

import numpy as np

from protocol.messages import Vector


class RecentAverage:
    """Averages the parameters after the last rounds (Polyak and Juditsky 1992).

    It reads only what was released already, so that it spends nothing, and it moves no round:
    training goes on from the last parameters, not from their average.
    """

    def __init__(self, rounds: int) -> None:
        """Begins empty.

        Args:
            rounds: How many of the last parameters count; 1 is the last alone.
        """
        self._recent: deque[Vector] = deque(maxlen=rounds)

    def add(self, parameters: Vector) -> Vector:
        """Returns the average [trainable] float32 with ``parameters`` as the newest.

        Before enough rounds have passed it is that of all so far. It is read-only.
        """
        self._recent.append(parameters)
        if len(self._recent) == 1:
            average = parameters
        else:
            average = np.asarray(np.mean(self._recent, axis=0, dtype=np.float64), np.float32)
            average.flags.writeable = False
        return average
