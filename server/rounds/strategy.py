"""The server's side of Flower's Message API: cohorts out, replies in, one release a round."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Strategy

from protocol.codec import decode_reply
from protocol.messages import Malformed, RefusalReason, Vector
from server import cohort
from server.aggregation import optimizer
from server.charged_release import ChargedRelease
from server.rounds import divergence
from server.rounds.admission import Admitted, Expected, Reply, admit
from server.rounds.directory import Directory
from server.rounds.exchange import answers, content_of
from server.rounds.growing_directory import GrowingDirectory
from server.rounds.norm_bound import norm_bound
from server.rounds.outcome import KnowsDirectory, RoundObserver
from server.rounds.reply_counts import NOTHING, ReplyCounts
from server.rounds.state import Resumption, ServerState
from server.rounds.task_messages import FIRST_ATTEMPT, RunTerms, TaskMessages
from server.settings import Server

Contents = Iterable[tuple[int | None, RecordDict | RefusalReason]]
"""What came, beside the number of the device that sent it; None for a node that is none."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Round:
    cohort: Sequence[int]
    parameters: Vector
    expected: Expected


class RoundStrategy(Strategy):
    """Draws Poisson cohorts, admits replies one by one and releases one mean of them.

    Guarantees:
      * without ``release``, who takes part is a function of (seed, round) alone;
      * updates are added in device order, so that the order of arrival never matters;
      * a bad reply is refused and counted, and the round goes on without it;
      * a round without an admitted update releases nothing and leaves the parameters alone;
      * parameters that are no model end the run, and ``model`` stays the one before;
      * with ``release`` it draws the cohorts, by its secret coins, and every round releases
        the noisy sum, also one without an update.

    Replies are held until all are there, for their order; ``ordered`` says that they come in
    device order, and then each is added as it comes.

    Attributes:
        model: [trainable] what the rounds so far came to: the parameters after the last one,
            or the average of the last ``averaged``; None before the first. Always finite.
        sound: Tries each release, where nobody beside the server judges it.
    """

    def __init__(
        self,
        settings: Server,
        terms: RunTerms,
        *,
        seed: int,
        directory: Directory,
        observer: RoundObserver,
        release: ChargedRelease | None = None,
        ordered: bool = False,
    ) -> None:
        settings.check_cohort(devices=directory.devices)
        self._settings = settings
        self._terms = terms
        self._tasks = TaskMessages(terms, directory, lifetime=settings.timeout)
        self._seed = seed
        self._directory = directory
        self._observer = observer
        self._ordered = ordered
        self._release = release
        self._moments: optimizer.Moments = ()
        self._recent = optimizer.RecentAverage(settings.averaged)
        self.model: Vector | None = None
        self.sound: divergence.Sound = lambda _: True
        self._round: _Round | None = None
        self._resumption: Resumption | None = None

    def resume(self, resumption: Resumption) -> None:
        """Goes on where a run ended: ``run`` then begins with the round after its state.

        Raises:
            ValueError: It is the state of another model or mechanism.
        """
        self._resumption, state = resumption, resumption.state
        if state is None:
            return
        self._moments, self.model = state.moments, state.model
        self._recent.restore(state.recent)
        if self._release is not None and state.round:
            self._release.release.restore(state.release)

    def run(self, grid: Grid, parameters: Vector, *, rounds: int) -> Vector:
        """Runs ``rounds`` rounds from ``parameters`` and returns the model they came to.

        Flower's own loop without its log and without its evaluation. Where the last parameters
        alone count, the result is that of ``start``. After ``resume`` the rounds that were
        released are left out, and so are ``parameters``.

        Raises:
            DivergedError: A round came to no model; that of the round before is ``model``.
        """
        resumed = None if self._resumption is None else self._resumption.state
        arrays = arrays_of(parameters if resumed is None else resumed.parameters)
        done = 0 if resumed is None else resumed.round
        for number in range(done + 1, rounds + 1):
            if isinstance(self._directory, GrowingDirectory):
                self._directory.look()
            messages = self.configure_train(number, arrays, ConfigRecord(), grid)
            arrays = self._closed(number, self._contents(grid, messages)) or arrays
        return vector(arrays) if self.model is None else self.model

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> list[Message]:
        """Draws the cohort and returns its messages, in device order.

        They are a list, for Flower's HTTP grid walks over them twice.
        """
        parameters = vector(arrays)
        invited = self._draw(server_round)
        self._round = _Round(
            cohort=invited,
            parameters=parameters,
            expected=self._expected(server_round, parameters, invited),
        )
        self._observer.started(server_round, cohort=len(invited))
        attempt = self._attempt(server_round)
        return self._tasks.messages(server_round, parameters, invited, attempt=attempt)

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Admits, adds and releases; returns None for parameters that stay as they were.

        Senders are those that the replies name: Flower's own loop knows no others.
        """
        return self._closed(server_round, self._named(replies)), None

    def _closed(self, server_round: int, replies: Contents) -> ArrayRecord | None:
        current = self._current()
        counts = ReplyCounts(current.cohort)
        admitted = self._admitted(replies, current.expected, counts)
        update, released = self._aggregated(admitted, server_round)
        parameters = current.parameters
        if update is not None:
            self._moments, parameters = optimizer.step(
                self._settings.optimizer,
                self._moments,
                parameters=parameters,
                mean_update=update,
            )
        parameters.flags.writeable = False
        model = self._recent.add(parameters)
        outcome = counts.outcome(server_round, parameters=model, released=released)
        state = partial(self._state, server_round, parameters, model)
        self._observer.closed(replace(outcome, state=state))
        divergence.check(server_round, model, sound=self.sound)
        self.model = model
        return None if update is None else arrays_of(parameters)

    def _contents(self, grid: Grid, messages: list[Message]) -> Contents:
        """What came for each message; a grid of ours is trusted with who sent it."""
        timeout = self._settings.timeout
        if isinstance(grid, KnowsDirectory):
            return self._named(grid.send_and_receive(messages, timeout=timeout))
        found = answers(grid, messages, timeout=timeout)
        return ((self._directory.device(one.node), one.content) for one in found)

    def _named(self, replies: Iterable[Message]) -> Contents:
        found = ((self._directory.device(one.metadata.src_node_id), one) for one in replies)
        return ((device, content_of(reply)) for device, reply in found)

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Asks nobody: released models are judged beside the server, on held-out devices."""
        return []

    def aggregate_evaluate(
        self, server_round: int, replies: Iterable[Message]
    ) -> MetricRecord | None:
        """Returns None: nobody was asked."""
        return None

    def summary(self) -> None:
        """Says nothing: whoever starts a run shows its settings."""

    def _aggregated(
        self, deltas: Iterable[Vector], number: int
    ) -> tuple[optimizer.Floats | None, Mapping[str, float]]:
        """The mean update, and further figures that were released with it."""
        if self._release is None:
            return self._settings.aggregation.aggregate(deltas), NOTHING
        # Before anything is added up: deltas are judged and added one by one.
        attempt = self._attempt(number)
        self._release.charge(number, attempt)
        source = self._release.source(number, attempt)
        mean = self._release.release.mean(deltas, source=source)
        return mean.value, mean.released

    def _attempt(self, number: int) -> int:
        attempts = {} if self._resumption is None else self._resumption.attempts
        return attempts.get(number, FIRST_ATTEMPT)

    def _state(self, number: int, parameters: Vector, model: Vector) -> ServerState:
        release = self._release
        return ServerState(
            round=number,
            parameters=parameters,
            model=model,
            moments=self._moments,
            recent=self._recent.recent,
            release={} if release is None else release.release.state(),
            ledger=None if release is None or release.ledger is None else release.ledger.head,
            repeatable=release is None or release.release.repeatable,
        )

    def _draw(self, number: int) -> list[int]:
        if self._release is not None:
            source = self._release.source(number, self._attempt(number))
            return [int(device) for device in self._release.release.cohort(source)]
        devices = self._directory.devices
        attempt = self._attempt(number)
        draws = cohort.generator(self._seed, round_number=number, attempt=attempt)
        rate = self._settings.cohort / devices
        return [int(device) for device in cohort.draw(devices, rate=rate, generator=draws)]

    def _expected(self, number: int, parameters: Vector, invited: Sequence[int]) -> Expected:
        norm = norm_bound(
            parameters, self._terms.visit, largest_library=self._terms.largest_library
        )
        return Expected(
            round=number,
            attempt=self._attempt(number),
            size=parameters.size,
            norm=norm,
            cohort=frozenset(invited),
        )

    def _admitted(
        self, replies: Contents, expected: Expected, counts: ReplyCounts
    ) -> Iterator[Vector]:
        for sender, content in self._in_device_order(replies):
            verdict = admit(
                _decoded(content, size=expected.size),
                sender=sender,
                answered=counts.answered,
                expected=expected,
            )
            counts.count(verdict, sender=sender)
            self._tasks.heard(verdict, device=sender)
            if isinstance(verdict, Admitted):
                yield verdict.delta

    def _in_device_order(self, replies: Contents) -> Contents:
        if self._ordered:
            return replies
        return sorted(replies, key=lambda pair: -1 if pair[0] is None else pair[0])

    def _current(self) -> _Round:
        if self._round is None:
            raise RuntimeError("replies cannot be aggregated before a round is configured.")
        return self._round


def vector(arrays: ArrayRecord) -> Vector:
    """Returns the one vector of a record made by ``arrays_of``, read-only."""
    (parameters,) = arrays.to_numpy_ndarrays()
    parameters.flags.writeable = False
    return parameters


def arrays_of(parameters: Vector) -> ArrayRecord:
    """Wraps a vector as Flower's loop passes parameters on."""
    return ArrayRecord([parameters])


def _decoded(content: RecordDict | RefusalReason, *, size: int) -> Reply:
    if isinstance(content, RefusalReason):
        return Malformed(content)
    try:
        return decode_reply(content, size=size)
    except Exception:
        # Whatever a device wrote into its records, it ends no round.
        return Malformed(RefusalReason.NOT_A_REPLY)
