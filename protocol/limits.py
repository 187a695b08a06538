"""How much may cross the wire: checked before anything is decoded."""

MAX_PARAMETERS = 16_000_000
"""Numbers in one vector."""

MAX_METRICS = 64
"""Figures in one answer to an evaluation."""

NPY_HEADER_BYTES = 128
"""What NumPy writes before the numbers of a one-dimensional array, whatever its length."""
