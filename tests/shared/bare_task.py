"""A task of nothing, whose module another process imports in no time."""

from dataclasses import dataclass


@dataclass
class BareTask:
    frozen: object = None
