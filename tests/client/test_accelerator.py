"""No accelerator is needed to see that nothing is made elsewhere than where it is asked for."""

import pytest
import torch

from client.accelerator import accelerator


def test_auto_is_a_processor_that_is_there():
    assert accelerator("auto").type in {"cuda", "mps", "cpu"}
    assert accelerator("cpu") == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_what_is_not_there_is_refused_with_what_is():
    with pytest.raises(
        ValueError, match=r"^simulation\.accelerator=cuda: .*use (mps or )?cpu\.$"
    ):
        accelerator("cuda")
