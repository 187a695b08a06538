"""A loss, a part of the model, an aggregation rule, an optimizer and an experiment."""

from recipes.recipe import Recipe

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
        # The list model's last layer, from which features are read.
        trained: score
        context: true  # whether features count that a photo has among the others of its moment
        loss: softmax  # of one moment; ranking/settings.py names them all
        weights: public  # public | a safetensors file | null for random weights
        frozen_digest: null  # SHA-256 of the frozen part; filled in where weights is a file
        start_norm: null  # norm of the trained part; filled in where weights is a file
        """
    },
    lines=(
        ("ranking/settings.py", '"lora", "all"', ', "score"'),
        ("ranking/settings.py", '        "all": Ranking,\n', '        "score": Ranking,\n'),
        ("ranking/settings.py", '            case "head" | "lora"', ' | "score"'),
        (
            "ranking/model/build.py",
            "or name.startswith(ENCODER),\n",
            '        "score": lambda name: name.startswith(f"{READER}read."),\n',
        ),
        (
            "tests/ranking/model/test_build.py",
            '        ("all", {}, READER + ENCODED),\n',
            '        ("score", {}, 64 * 33 + 33),\n',
        ),
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
