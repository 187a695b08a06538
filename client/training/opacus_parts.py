"""The two parts of Opacus that train, without what importing Opacus does to the log."""

import logging

_handlers = logging.root.handlers.copy()

from opacus.grad_sample import GradSampleModule as GradSampleModule  # noqa: E402
from opacus.optimizers import DPOptimizer as DPOptimizer  # noqa: E402

logging.root.handlers[:] = _handlers
