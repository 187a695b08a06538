"""The recipes of CONTRIBUTING.md, followed to the letter on a copy of the tree.

A photo source is followed in ``tests/photos/test_new_source.py``.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from privacy.accounting import analytic_gaussian

# Every recipe is followed in a copy, in which runs and tools are started: 20 seconds.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGES = (
    *("client", "conf", "photos", "privacy"),
    *("protocol", "ranking", "server", "simulations"),
)
ENDINGS = (".py", ".yaml", ".safetensors")
TESTS = (
    "tests/test_doctests.py",
    "tests/ranking/losses/test_registry.py",
    "tests/ranking/model/test_build.py",
    "tests/server/aggregation/test_optimizer.py",
    "tests/server/aggregation/test_rules.py",
)
CHOSEN = "hinge or margin or median or nesterov or farther or documentation or every_name"
CHOSEN += " or every_rule or every_optimizer"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a recipe adds: whole files, and lines right after a text of other files."""

    files: dict[str, str]
    lines: tuple[tuple[str, str, str], ...] = field(default=())

    def follow(self, tree: Path) -> None:
        for name, text in self.files.items():
            assert not (tree / name).exists()
            (tree / name).write_text(dedent(text).lstrip("\n"))
        for name, after, line in self.lines:
            text = (tree / name).read_text()
            assert text.count(after) == 1, f"{name} has no one place after {after!r}"
            (tree / name).write_text(text.replace(after, after + line))


MECHANISM = Recipe(
    files={
        "privacy/mechanisms/steady.py": '''
        """One noise for every round, with no credit for the draw of a cohort."""

        from __future__ import annotations

        import math
        from collections.abc import Iterable, Sequence
        from dataclasses import dataclass
        from functools import partial
        from typing import TYPE_CHECKING, Annotated, Literal

        from annotated_types import Interval

        from privacy.accounting import analytic_gaussian, rdp
        from privacy.accounting.steps import Steps
        from privacy.mechanisms.base.central_settings import CentralSettings
        from privacy.mechanisms.base.mechanism import CentralMechanism, sampling_of
        from privacy.mechanisms.base.release import Mean, PoissonCohorts, Update, clipped_sum
        from privacy.mechanisms.base.unit_settings import Federation, Protected, check_delta
        from privacy.mechanisms.moments.dpsgd import release
        from privacy.sampling.capped import CappedPoissonSampling
        from privacy.sampling.crowds import alone

        if TYPE_CHECKING:
            from privacy.ledger.records import Noise, Terms
            from privacy.noise import Source


        @dataclass(frozen=True, kw_only=True, slots=True)
        class SteadyGaussian(CentralMechanism):
            """As if every device took part in every round: k rounds have √k of sensitivity."""

            sampler = "steady"
            by = "closed form"
            sampling: CappedPoissonSampling
            noise_multiplier: float
            clip: float
            delta: float

            def epsilon(self, rounds: int) -> float:
                """Returns the ε after so many rounds."""
                if not rounds:
                    return 0.0
                return analytic_gaussian.epsilon(self._of_all(rounds), delta=self.delta)

            def epsilon_rdp(self, rounds: int) -> float:
                """Returns a looser bound on the same ε."""
                if not rounds:
                    return 0.0
                noise = self._of_all(rounds)
                return rdp.epsilon(rate=1, noise_multiplier=noise, steps=1, delta=self.delta)

            def noise_for(self, target: float, rounds: int) -> float:
                """Returns the least noise multiplier whose ε is at most ``target``."""
                return analytic_gaussian.noise(target, delta=self.delta) * math.sqrt(rounds)

            def steps_of(self, rounds: int) -> Steps:
                """Returns one step that no draw hides."""
                return Steps(alone(1.0), self._of_all(max(rounds, 1)), min(rounds, 1))

            def in_words(self) -> str:
                """Returns how much noise is added and where, for the card."""
                return f"steady noise {self.noise_multiplier:.2f} × clip {self.clip:g}"

            def terms(self, *, noise: Noise) -> Terms:
                """Returns what opens its ledger; a charge is one round."""
                return self.opening(noise=noise, sampling=self.sampling)

            @classmethod
            def read(cls, terms: Terms) -> SteadyGaussian:
                """Returns the mechanism that the terms of a ledger describe."""
                return cls(
                    sampling=sampling_of(terms),
                    noise_multiplier=terms.noise_multiplier,
                    clip=terms.clip,
                    delta=terms.delta,
                )

            def _of_all(self, rounds: int) -> float:
                return self.noise_multiplier / math.sqrt(rounds)


        @dataclass(frozen=True, kw_only=True, slots=True)
        class SteadySettings(CentralSettings):
            """Attributes: margin: Noise over what ``epsilon`` needs."""

            makes = (SteadyGaussian,)
            mechanism: Literal["steady"] = "steady"
            margin: Annotated[float, Interval(ge=1, le=10)]

            def protected(self, run: Federation) -> Protected:
                """Returns what protects a library."""
                check_delta(self.delta, devices=run.devices)
                chosen = SteadyGaussian(
                    sampling=self.sampling(run),
                    noise_multiplier=self.noise_multiplier or 0.0,
                    clip=self.clip,
                    delta=self.delta,
                )
                if self.noise_multiplier is None:
                    least = chosen.noise_for(self.target, run.rounds)
                    chosen = chosen.variant(noise_multiplier=self.margin * least)
                release = partial(SteadyRelease, chosen, self.clipping)
                return self.protecting(chosen, run, release=release)


        class SteadyRelease(PoissonCohorts):
            """The noisy sum of clipped updates over the expected cohort."""

            def __init__(
                self, mechanism: SteadyGaussian, clipping: str, layers: Sequence[int]
            ) -> None:
                super().__init__(mechanism.sampling)
                self._mechanism, self._size = mechanism, sum(layers)
                self._layers = layers if clipping == "layers" else ()

            def mean(self, deltas: Iterable[Update], *, source: Source) -> Mean:
                """Returns what is released of a round, also where nobody came."""
                own = self._mechanism
                total, count = clipped_sum(
                    deltas, own.clip, size=self._size, layers=self._layers
                )
                deviation = own.noise_multiplier * own.clip
                noisy = release(total, deviation=deviation, stream=source.stream("noise"))
                return Mean(value=noisy / own.sampling.expected, count=count)
        ''',
        "conf/privacy/device/steady.yaml": """
        # One noise for every round, with no credit for the draw of a cohort.
        mechanism: steady
        epsilon: 8.0  # target after all rounds; the noise follows from it
        noise_multiplier: null  # the noise in units of clip; with epsilon it stops the run
        delta: 1e-4  # δ of the guarantee, below 1 / devices
        clip: 1.0  # largest norm of one update
        clipping: whole  # whole clips an update as one vector, layers each of its layers
        largest_cohort: null  # devices of a round at most; null: nine deviations above the mean
        margin: 2.0  # noise over what epsilon needs
        """,
    },
    lines=(
        (
            "privacy/mechanisms/registry.py",
            "from privacy.mechanisms.moments.settings import DpSgdSettings\n",
            "from privacy.mechanisms.steady import SteadySettings\n",
        ),
        (
            "privacy/mechanisms/registry.py",
            '    "local": LocalSettings,\n',
            '    "steady": SteadySettings,\n',
        ),
    ),
)

ON_DEVICES = Recipe(
    files={
        "privacy/mechanisms/presence.py": '''
        """Noise on a device's own update, against one whose library is empty."""

        from __future__ import annotations

        import math
        from dataclasses import dataclass, replace
        from typing import TYPE_CHECKING, Literal

        from privacy.accounting import analytic_gaussian, rdp
        from privacy.accounting.steps import Steps
        from privacy.mechanisms.base.mechanism import LocalMechanism
        from privacy.mechanisms.local_gaussian import LocalSettings
        from privacy.sampling.crowds import alone

        if TYPE_CHECKING:
            from privacy.ledger.records import Noise, Terms


        @dataclass(frozen=True, kw_only=True, slots=True)
        class PresenceGaussian(LocalMechanism):
            """Updates are one clip from zero at most: k of them have √k of sensitivity."""

            sampler = "presence"
            relation = "empty one library"
            question = "its library was empty"
            neighbours = "a library of a device and an empty one"
            by = "closed form"
            noise_multiplier: float
            clip: float
            delta: float

            def epsilon(self, visits: int) -> float:
                """Returns the ε of a device after so many visits."""
                if not visits:
                    return 0.0
                return analytic_gaussian.epsilon(self._of_all(visits), delta=self.delta)

            def epsilon_rdp(self, visits: int) -> float:
                """Returns a looser bound on the same ε."""
                if not visits:
                    return 0.0
                noise = self._of_all(visits)
                return rdp.epsilon(rate=1, noise_multiplier=noise, steps=1, delta=self.delta)

            def noise_for(self, target: float, visits: int) -> float:
                """Returns the least noise multiplier whose ε is at most ``target``."""
                return analytic_gaussian.noise(target, delta=self.delta) * math.sqrt(visits)

            def steps_of(self, visits: int) -> Steps:
                """Returns one step that no draw hides."""
                return Steps(alone(1.0), self._of_all(max(visits, 1)), min(visits, 1))

            def in_words(self) -> str:
                """Returns how much noise is added and where, for the card."""
                return f"noise {self.noise_multiplier:.2f} × clip {self.clip:g} on updates"

            def terms(self, *, noise: Noise) -> Terms:
                """Returns what opens its ledger; a charge is one visit of a device."""
                return self.opening(noise=noise)

            @classmethod
            def read(cls, terms: Terms) -> PresenceGaussian:
                """Returns the mechanism that the terms of a ledger describe."""
                return cls(
                    noise_multiplier=terms.noise_multiplier, clip=terms.clip, delta=terms.delta
                )

            def _of_all(self, visits: int) -> float:
                return self.noise_multiplier / math.sqrt(visits)


        @dataclass(frozen=True, kw_only=True, slots=True)
        class PresenceSettings(LocalSettings):
            """Whether a library is empty is hidden, and no more."""

            makes = (PresenceGaussian,)
            mechanism: Literal["presence"] = "presence"

            def derive(self) -> PresenceGaussian:
                """Returns the mechanism."""
                chosen = PresenceGaussian(
                    noise_multiplier=self.noise_multiplier or 0.0,
                    clip=self.clip,
                    delta=self.delta,
                )
                if self.noise_multiplier is not None:
                    return chosen
                noise = chosen.noise_for(self.target, self.max_participations)
                return replace(chosen, noise_multiplier=noise)
        ''',
        "conf/privacy/device/presence.yaml": """
        # Each device hides whether its library is empty.
        mechanism: presence
        epsilon: 8.0  # target at max_participations; the noise follows from it
        noise_multiplier: null  # the noise in units of clip; with epsilon it stops the device
        delta: 1e-5  # δ of the guarantee
        clip: 1.0  # largest norm of one update
        max_participations: ${server.rounds}  # visits after which a device declines
        """,
        "privacy/mechanisms/moments/coinless.py": '''
        """DP-SGD on one device that takes no credit for the coins of its moments."""

        from __future__ import annotations

        import math
        from dataclasses import dataclass, replace
        from typing import TYPE_CHECKING, Annotated, Literal

        from annotated_types import Interval

        from privacy.accounting import analytic_gaussian, rdp
        from privacy.accounting.steps import Steps
        from privacy.clipping.sensitivity import SENSITIVITY
        from privacy.mechanisms.base.mechanism import MomentMechanism
        from privacy.mechanisms.base.unit_settings import (
            Budget,
            ExampleSettings,
            LocalSteps,
            Protected,
        )
        from privacy.sampling.crowds import alone
        from protocol.settings import Times

        if TYPE_CHECKING:
            from privacy.ledger.records import Noise, Terms


        @dataclass(frozen=True, kw_only=True, slots=True)
        class CoinlessSgd(MomentMechanism):
            """As if every moment took part in every step: k steps have √k of sensitivity."""

            sampler = "no credit for coins"
            by = "closed form"
            noise_multiplier: float
            clip: float
            steps: int
            delta: float

            def epsilon(self, visits: int) -> float:
                """Returns the ε of a device after so many visits."""
                if not visits:
                    return 0.0
                return analytic_gaussian.epsilon(self._of_all(visits), delta=self.delta)

            def epsilon_rdp(self, visits: int) -> float:
                """Returns a looser bound on the same ε."""
                if not visits:
                    return 0.0
                noise = self._of_all(visits)
                return rdp.epsilon(rate=1, noise_multiplier=noise, steps=1, delta=self.delta)

            def noise_for(self, target: float, visits: int) -> float:
                """Returns the least noise multiplier whose ε is at most ``target``."""
                of_one = analytic_gaussian.noise(target, delta=self.delta)
                return of_one * SENSITIVITY * math.sqrt(self.steps * visits)

            def steps_of(self, visits: int) -> Steps:
                """Returns one step that no draw hides."""
                return Steps(alone(1.0), self._of_all(max(visits, 1)), min(visits, 1))

            def in_words(self) -> str:
                """Returns how much noise is added and where, for the card."""
                return f"noise {self.noise_multiplier:.2f} × clip {self.clip:g}, no coins"

            def terms(self, *, noise: Noise) -> Terms:
                """Returns what opens its ledger; a charge is one visit of a device."""
                return self.opening(noise=noise, steps=self.steps)

            @classmethod
            def read(cls, terms: Terms) -> CoinlessSgd:
                """Returns the mechanism that the terms of a ledger describe."""
                return cls(
                    noise_multiplier=terms.noise_multiplier,
                    clip=terms.clip,
                    steps=terms.steps,
                    delta=terms.delta,
                )

            def _of_all(self, visits: int) -> float:
                return self.noise_multiplier / SENSITIVITY / math.sqrt(self.steps * visits)


        @dataclass(frozen=True, kw_only=True, slots=True)
        class CoinlessSettings(Budget, ExampleSettings):
            """Attributes: delta, max_participations: Same as ``dpsgd``."""

            at = "privacy.example"
            makes = (CoinlessSgd,)
            mechanism: Literal["coinless"] = "coinless"
            delta: Annotated[float, Interval(ge=1e-12, le=1e-5)]
            max_participations: Times

            def protected(self, visit: LocalSteps) -> Protected:
                """Returns what protects a moment."""
                chosen = CoinlessSgd(
                    noise_multiplier=self.noise_multiplier or 0.0,
                    clip=self.clip,
                    steps=visit.steps,
                    delta=self.delta,
                )
                if self.noise_multiplier is None:
                    noise = chosen.noise_for(self.target, self.max_participations)
                    chosen = replace(chosen, noise_multiplier=noise)
                visits = self.affordable(chosen, most=self.max_participations)
                return Protected(mechanism=chosen, times=visits)

            def contradiction(self, *, cohort: float) -> str | None:
                """Returns the sentence that refuses neither noise nor ε, or ε without noise."""
                return self.budget_contradiction()

            def longest_sum(self, library: float, *, noise: float, spread: float) -> float:
                """Returns the largest norm of a step's noisy sum: each moment at its clip."""
                return self.clip * (library + noise * spread)
        ''',
        "conf/privacy/example/coinless.yaml": """
        # DP-SGD whose ε is that of every moment in every step.
        mechanism: coinless
        epsilon: 8.0  # target at max_participations; the noise follows from it
        noise_multiplier: null  # the noise in units of clip; with epsilon it stops the device
        delta: 1e-5  # δ of the guarantee, at most 1e-5
        clip: 0.3  # largest norm of one moment's gradient
        max_participations: ${server.rounds}  # visits after which a device declines
        """,
    },
    lines=(
        (
            "privacy/mechanisms/registry.py",
            "from privacy.mechanisms.local_gaussian import LocalSettings\n",
            "from privacy.mechanisms.moments.coinless import CoinlessSettings\n",
        ),
        (
            "privacy/mechanisms/registry.py",
            "from privacy.mechanisms.moments.settings import DpSgdSettings\n",
            "from privacy.mechanisms.presence import PresenceSettings\n",
        ),
        (
            "privacy/mechanisms/registry.py",
            '    "local": LocalSettings,\n',
            '    "presence": PresenceSettings,\n',
        ),
        (
            "privacy/mechanisms/registry.py",
            '    "dpsgd": DpSgdSettings,\n',
            '    "coinless": CoinlessSettings,\n',
        ),
    ),
)

LOSS = Recipe(
    files={
        "ranking/losses/margin.py": '''
        """A loss of leads: of two photos the better is to be one ahead."""

        from torch import Tensor

        from ranking.masking import fill, ratio


        def hinge(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
            """Returns how much of a lead of one is missing in a pair; 0 without a pair.

            By hand, the better photo one behind: 1 - (1 - 2).

            >>> scores, gains = Tensor([1, 2]), Tensor([3, 0])
            >>> float(hinge(scores, gains, where=gains >= 0))
            2.0
            """
            both = where.unsqueeze(-1) & where.unsqueeze(-2)
            pairs = (gains.unsqueeze(-1) > gains.unsqueeze(-2)) & both
            missing = (1 - scores.unsqueeze(-1) + scores.unsqueeze(-2)).relu()
            return ratio(fill(missing, where=pairs).sum((-2, -1)), pairs.sum((-2, -1)))
        ''',
    },
    lines=(
        ("ranking/settings.py", '        "mse",\n', '        "hinge",\n'),
        (
            "ranking/losses/registry.py",
            "approx_ndcg, listmle, listnet, neural_ndcg, softmax\n",
            "from ranking.losses.margin import hinge\n",
        ),
        ("ranking/losses/registry.py", '        "mse": mse,\n', '        "hinge": hinge,\n'),
        (
            "tests/ranking/losses/test_registry.py",
            "    return sum(losses) / len(losses) if losses else 0.0\n",
            """

def hinge(scores, gains):
    missing = [max(0.0, 1 - scores[i] + scores[j]) for i, j in better_pairs(gains)]
    return sum(missing) / len(missing) if missing else 0.0
""",
        ),
        ("tests/ranking/losses/test_registry.py", "        mse,\n", "        hinge,\n"),
    ),
)

PART = Recipe(
    files={
        "conf/ranking/score.yaml": """
        # The head's last layer.
        trained: score
        loss: softmax  # of one moment; ranking/settings.py names them all
        weights: public  # public | a safetensors file | null for random weights
        frozen_digest: null  # SHA-256 of the frozen part; filled in where weights is a file
        start_norm: null  # norm of the trained part; filled in where weights is a file
        """
    },
    lines=(
        ("ranking/settings.py", '"lora", "all"', ', "score"'),
        (
            "ranking/model/build.py",
            "    match trained:\n",
            '        case "score":\n            return name.startswith("list_ranker.score.")\n',
        ),
        ("tests/ranking/model/test_build.py", '("all", 126_881)', ', ("score", 33)'),
    ),
)

RULE = Recipe(
    files={
        "server/aggregation/median.py": '''
        """The rule ``median``: of each coordinate the update in the middle."""

        from collections.abc import Iterable
        from dataclasses import dataclass
        from typing import Literal

        import numpy as np
        from numpy.typing import NDArray

        from protocol.messages import Vector


        @dataclass(frozen=True, kw_only=True, slots=True)
        class Median:
            """It has no settings."""

            rule: Literal["median"] = "median"

            @property
            def sensitivity(self) -> None:
                """None: one update may move a median as far as the next one is."""
                return None

            def aggregate(self, deltas: Iterable[Vector]) -> NDArray[np.float64] | None:
                """Returns the median of ``deltas``, or None where there is none."""
                taken = [delta.astype(np.float64) for delta in deltas]
                return np.median(taken, axis=0) if taken else None
        ''',
        "conf/server/aggregation/median.yaml": """
        # Of each coordinate the update in the middle.
        rule: median
        """,
        "tests/server/aggregation/test_median.py": """
        import numpy as np

        from server.aggregation.median import Median


        def test_a_median_worked_by_hand():
            updates = np.float32([[1, 9], [2, 3], [7, 4]])
            assert Median().aggregate(updates).tolist() == [2, 4]
            assert Median().aggregate([]) is None
        """,
    },
    lines=(
        (
            "server/aggregation/rules.py",
            "from protocol.rebuild import SettingError\n",
            "from server.aggregation.median import Median\n",
        ),
        ("server/aggregation/rules.py", '"mean": UniformMean', ', "median": Median'),
    ),
)

OPTIMIZER = Recipe(
    files={
        "conf/server/optimizer/nesterov.yaml": """
        # Momentum that looks one step ahead.
        name: nesterov
        lr: 1.0  # server learning rate
        beta1: 0.5  # what a round leaves of the sum of those before it
        """
    },
    lines=(
        (
            "protocol/optimizers.py",
            "Tau = Annotated[float, Interval(ge=1e-12, le=1e6)]\n",
            '''

@dataclass(frozen=True, kw_only=True, slots=True)
class Nesterov:
    """Momentum that looks one step ahead."""

    name: Literal["nesterov"] = "nesterov"
    lr: LearningRate
    beta1: Decay

    def farthest(self, mean: float) -> float:
        """Returns that of momentum: what it adds ahead is in that sum already."""
        return self.lr * mean / (1 - self.beta1)
''',
        ),
        ("protocol/optimizers.py", '"yogi": Yogi', ', "nesterov": Nesterov'),
        ("server/aggregation/optimizer.py", "import Adam, Momentum, ", "Nesterov, "),
        (
            "server/aggregation/optimizer.py",
            "    return (first,), first\n",
            """

def _nesterov(settings: Nesterov, moments: Moments, update: Floats) -> tuple[Moments, Floats]:
    (first,) = moments or (np.zeros_like(update),)
    first = settings.beta1 * first + update
    return (first,), settings.beta1 * first + update
""",
        ),
        ("server/aggregation/optimizer.py", "Yogi: _yogi", ", Nesterov: _nesterov"),
        (
            "tests/server/aggregation/test_optimizer.py",
            "import OPTIMIZERS, Adam, Momentum, ",
            "Nesterov, ",
        ),
        (
            "tests/server/aggregation/test_optimizer.py",
            "ALL = (SGD, MOMENTUM, ADAM, YOGI",
            ", Nesterov(lr=0.5, beta1=0.9)",
        ),
        (
            "tests/server/aggregation/test_optimizer.py",
            "    assert parameters.tolist() == [1.25, 1.5]\n",
            """

def test_nesterov_worked_by_hand_for_two_rounds():
    # m = 2, then .9*2 - 1 = .8; x = 1 + .5*(.9*2 + 2) + .5*(.9*.8 - 1)
    _, parameters = run(Nesterov(lr=0.5, beta1=0.9), [1.0], [[2.0], [-1.0]])
    assert parameters[0] == pytest.approx(2.76)
""",
        ),
    ),
)

EXPERIMENT = Recipe(
    files={
        "conf/experiment/tiny.yaml": """
        # @package _global_
        # Six devices and two rounds: as small as a run can be.
        defaults:
          - override /ranking: linear

        name: tiny
        photos: {devices: 6, held_out_devices: 2, side: 16}
        ranking: {weights: null}
        server: {rounds: 2, cohort: 5}
        privacy: {noise: insecure_seeded}
        """
    }
)

RECIPES = {
    "A loss": LOSS,
    "A model part": PART,
    "A mechanism": MECHANISM,
    "A mechanism on devices": ON_DEVICES,
    "An aggregation rule": RULE,
    "A server optimizer": OPTIMIZER,
    "An experiment": EXPERIMENT,
}

STEADY = "simulate experiment=tiny privacy/device=steady"
OWN = "privacy/device=presence privacy/example=coinless"
COMMANDS = {
    "experiment": "simulate experiment=tiny simulation.runs=experiment",
    "mechanism": f"{STEADY} simulation.runs=mechanism",
    "its ledger": "ledger mechanism/*",
    "on devices": f"simulate experiment=tiny {OWN} simulation.runs=own",
    "ledgers of devices": "ledger own/*",
    "solved on devices": f"privacy plan {OWN} --solve noise",
    "solved for moments": f"privacy plan {OWN} --unit example --solve noise",
    "foreign setting": f"{STEADY} privacy.device.numbers=integers",
    "own setting elsewhere": "simulate privacy/device=gaussian privacy.device.margin=2",
    "out of range": f"{STEADY} privacy.device.margin=0.5",
    "loss": "simulate experiment=tiny ranking.loss=hinge server.rounds=1 simulation.runs=loss",
    "part": "simulate experiment=tiny ranking=score ranking.weights=public server.rounds=1 "
    "simulation.runs=part",
    "rule": "simulate experiment=tiny server/aggregation=median simulation.runs=rule",
    "rule with noise": "simulate server/aggregation=median privacy/device=gaussian",
    "optimizer": "simulate experiment=tiny server/optimizer=nesterov simulation.runs=optimizer",
}
PROGRAM = """
import contextlib, glob, io, json, sys
import pytest

def answers(call):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            status = int(call())
        except SystemExit as end:
            status = end.code
    return {"status": status, "printed": printed.getvalue()}

def darkroom(command):
    from simulations.command import main

    words = [glob.glob(word) if "*" in word else [word] for word in command.split()]
    sys.argv = ["darkroom", *sum(words, [])]
    main()

commands, tests = json.loads(sys.argv[1])
found = {"tests": answers(lambda: pytest.main(tests))}
for name, command in commands.items():
    found[name] = answers(lambda: darkroom(command))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of all packages, after every recipe."""
    copy = tmp_path_factory.mktemp("tree")
    sources = [path for name in PACKAGES for path in (ROOT / name).rglob("*")]
    kept = [path for path in sources if path.suffix in ENDINGS]
    for path in [*kept, *(ROOT / name for name in TESTS), ROOT / "pyproject.toml"]:
        (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy / path.relative_to(ROOT))
    for recipe in RECIPES.values():
        recipe.follow(copy)
    return copy


@pytest.fixture(scope="module")
def answers(tree) -> dict[str, dict]:
    """What each command says there, all in one process, and what the tests of a loss say."""
    line = [
        sys.executable,
        "-c",
        PROGRAM,
        json.dumps([COMMANDS, ["-v", "-k", CHOSEN, "tests"]]),
    ]
    done = subprocess.run(line, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def works(answer) -> str:
    assert answer["status"] == 0, answer["printed"]
    return answer["printed"]


def refusal(answer) -> str:
    assert answer["status"] == 1, answer["printed"]
    return answer["printed"].removeprefix("darkroom: ").strip()


def test_an_experiment_runs_under_its_own_name(answers, tree):
    assert "6 devices train, 2 never do" in works(answers["experiment"])
    (folder,) = (tree / "experiment").iterdir()
    assert "-tiny-" in folder.name


def test_a_mechanism_runs_and_its_epsilon_is_on_the_card(answers):
    printed = works(answers["mechanism"])
    noise = analytic_gaussian.noise(8.0, delta=1e-4)
    epsilon = analytic_gaussian.epsilon(2 * noise, delta=1e-4)
    assert f"ε ≤ {epsilon:.2f} at δ = 0.0001 for each device's whole library" in printed
    assert f"steady noise {2 * 2**0.5 * noise:.2f} × clip 1" in printed


def test_the_ledger_of_a_mechanism_is_verified_and_its_epsilon_found_anew(answers):
    printed = works(answers["its ledger"])
    epsilon = analytic_gaussian.epsilon(
        2 * analytic_gaussian.noise(8.0, delta=1e-4), delta=1e-4
    )
    assert "takes part  steady: with probability 0.833" in printed
    assert f"{epsilon:.2f} by closed form" in printed


def test_mechanisms_on_devices_run_and_their_epsilon_is_on_the_card(answers):
    printed = works(answers["on devices"])
    noise = analytic_gaussian.noise(8.0, delta=1e-5)
    assert "ε ≤ 8.00 at δ = 1e-05 for each moment of a device" in printed
    assert "ε ≤ 8.00 at δ = 1e-05 for each device's whole library" in printed
    # two visits, of two steps each
    assert f"noise {2**0.5 * noise:.2f} × clip 1 on updates" in printed
    assert f"noise {4**0.5 * noise:.2f} × clip 0.3, no coins" in printed


def test_the_ledgers_of_devices_are_verified_and_their_epsilon_found_anew(answers):
    printed = works(answers["ledgers of devices"])
    assert "takes part  presence: with probability 1" in printed
    assert "one device's whole library" in printed
    assert printed.count("ε worst     8.00 by closed form") == 2


def test_a_plan_does_not_solve_for_a_mechanism_on_devices_that_it_does_not_have(answers):
    for solved, setting in (
        ("solved on devices", "privacy/device=presence"),
        ("solved for moments", "privacy/example=coinless"),
    ):
        assert refusal(answers[solved]).startswith(f"--solve knows no such {setting}, only ")


def test_settings_of_another_mechanism_are_refused(answers):
    assert refusal(answers["foreign setting"]) == (
        "privacy.device.numbers belongs to privacy/device=gaussian: take that, or leave the "
        "setting out."
    )
    assert refusal(answers["own setting elsewhere"]) == (
        "privacy.device.margin belongs to privacy/device=steady: take that, or leave the "
        "setting out."
    )
    assert refusal(answers["out of range"]) == (
        "privacy.device.margin=0.5 is out of range: it must be at least 1 and at most 10."
    )


def test_a_loss_trains(answers):
    assert "hinge loss" in works(answers["loss"])


def test_a_part_of_the_model_is_trained_from_the_public_weights(answers):
    assert "score from public weights" in works(answers["part"])


def test_an_aggregation_rule_without_a_bound_runs_only_without_noise(answers):
    works(answers["rule"])
    assert "server.aggregation.rule=median has no bound" in refusal(answers["rule with noise"])


def test_a_server_optimizer_moves_parameters_that_devices_accept(answers, tree):
    works(answers["optimizer"])
    (metrics,) = (tree / "optimizer").rglob("metrics.jsonl")
    lines = metrics.read_text().splitlines()
    rounds = [json.loads(line)["simulation_only"] for line in lines]
    assert [one["admitted"] > 0 for one in rounds] == [False, True, True]
    assert [one["declined"] for one in rounds] == [{}, {}, {}]


def test_what_the_recipes_add_passes_the_tests_of_its_kind(answers):
    printed = works(answers["tests"])
    for name in ("hinge", "losses.margin", "median", "score-33", "nesterov", "every_rule"):
        assert name in printed


@pytest.mark.parametrize("line", ["ruff format", "ruff check", "lint-imports"])
def test_what_the_recipes_add_is_clean(tree, line):
    program, *words = line.split()
    command = [Path(sys.executable).with_name(program), *words, "--no-cache"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", RECIPES)
def test_contributing_names_every_file_that_a_recipe_touches(name):
    _, recipes = (ROOT / "CONTRIBUTING.md").read_text().split("## Recipes")
    (answers,) = (part for part in recipes.split("\n\n") if part.startswith(f"**{name}.**"))
    recipe = RECIPES[name]
    touched = {f"{Path(path).parent}/" for path in recipe.files}
    touched |= {path for path, _, _ in recipe.lines}
    assert [path for path in sorted(touched) if path not in answers] == []
