"""SciPy, imported where it is first used.

It takes a second to import. Settings stand beside the mechanisms they describe, and whoever
reads settings, for ``--help`` or to refuse a typo, computes nothing: they need not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scipy import fft as fft
    from scipy import optimize as optimize
    from scipy import signal as signal
    from scipy import special as special
    from scipy import stats as stats
else:

    def __getattr__(name: str) -> Any:
        """Returns a part of SciPy, such as ``special``."""
        if name.startswith("_"):
            raise AttributeError(name)
        found = globals()[name] = import_module(f"scipy.{name}")
        return found
