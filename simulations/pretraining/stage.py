"""The stages of `darkroom pretrain`."""

from enum import StrEnum


class Stage(StrEnum):
    """What is trained: the encoder, the list model over it, or one after the other.

    ``real`` trains nothing: it makes the file of ``ranking/encoder=real``.
    """

    BOTH = "both"
    ENCODER = "encoder"
    LIST = "list"
    REAL = "real"
