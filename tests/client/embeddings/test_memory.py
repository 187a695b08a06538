import resource
import sys

import numpy as np
import pytest

from client.embeddings.memory import keep_freed_memory

MEGABYTES_32 = 8 * 1024**2


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_a_large_block_that_was_freed_is_reused_without_page_faults():
    if not keep_freed_memory():
        pytest.skip("another allocator")
    np.ones(MEGABYTES_32, np.float32)
    before = faults()
    for _ in range(5):
        np.ones(MEGABYTES_32, np.float32)
    # 5 × 32 MB are 40,960 pages
    assert faults() - before < 4_096
