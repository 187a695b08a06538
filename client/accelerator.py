"""Where the arithmetic of devices runs; what is secret is drawn on the host in any case."""

import torch

from client.settings import Accelerator


def accelerator(choice: Accelerator) -> torch.device:
    """Returns the processor that ``choice`` names; ``auto`` is the first that is there.

    Raises:
        ValueError: It is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if choice == "auto":
        return torch.device(next(name for name, found in there.items() if found))
    if not there[choice]:
        others = " or ".join(name for name, found in there.items() if found)
        raise ValueError(
            f"simulation.accelerator={choice}: PyTorch finds none here; use {others}."
        )
    return torch.device(choice)
