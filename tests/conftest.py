"""One thread for every test, and figures that a run of the tests prints at its end.

Tests share the machine's cores, and results stay the same.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import Phase, settings  # noqa: E402

torch.set_num_threads(1)

# Whoever only asks whether a test fails need not wait minutes for its smallest example.
settings.register_profile("unshrunk", phases=[Phase.explicit, Phase.reuse, Phase.generate])


@pytest.fixture
def measured(request):
    """Keeps a sentence for the end of the run: workers have no terminal of their own."""
    return lambda sentence: request.node.user_properties.append(("measured", sentence))


def pytest_terminal_summary(terminalreporter):
    """Prints what was measured."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    figures = [
        text for one in reports for name, text in one.user_properties if name == "measured"
    ]
    if figures:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(figures))
