"""Freed memory stays in the process: what goes back to the kernel comes again page by page."""

import ctypes
import sys
from functools import cache

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""glibc's numbers of the options of ``mallopt``."""
NEVER = 2**31 - 1
"""Bytes, the most that ``mallopt`` takes: what is free at the heap's end is returned only
beyond."""
AT_ONCE = 64 * 1024**2
"""Bytes that are asked of the kernel beyond what is needed, where glibc would ask for 128
KiB."""


@cache
def keep_freed_memory() -> bool:
    """Makes glibc reuse the large blocks of one training step in the next one.

    By default it returns them at once, and the kernel zeroes and maps every page again: as dear
    as half of a step. The process then never shrinks below its peak.

    Returns:
        Whether this system's allocator took it; where it is another, nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    options = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: NEVER, M_TOP_PAD: AT_ONCE}
    return all(set_option(option, value) for option, value in options.items())
