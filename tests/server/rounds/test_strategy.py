import dataclasses

import numpy as np
import pytest
from flwr.app import ConfigRecord, Error, Message, MessageType, RecordDict

from privacy.mechanisms.base.unit_settings import Federation
from protocol.codec import decode_task, encode_declined, encode_device, encode_update
from protocol.messages import Declined, DeclineReason, RefusalReason, Update
from protocol.optimizers import Adam, Yogi
from server.charged_release import charged_release
from server.cohort import draw, generator
from server.rounds.directory import RangeDirectory
from server.rounds.growing_directory import GrowingDirectory
from server.rounds.strategy import RoundStrategy, arrays_of, vector
from server.rounds.task_messages import RunTerms

DEVICES = 8
FIRST = 100


def task_of(message):
    return decode_task(message.content)


def device_of(message):
    return message.metadata.dst_node_id - FIRST


def honest(message, *, delta=None):
    """Answers with a delta that says which device it is."""
    task = task_of(message)
    if delta is None:
        delta = np.float32([device_of(message), 1, 0]) / 16
    update = Update(round=task.round, attempt=task.attempt, delta=np.float32(delta))
    return Message(encode_update(update), reply_to=message)


def declines(message, reason):
    task = task_of(message)
    declined = Declined(round=task.round, attempt=task.attempt, reason=reason)
    return Message(encode_declined(declined), reply_to=message)


def everyone(settings):
    return dataclasses.replace(settings, cohort=float(DEVICES))


@pytest.fixture
def make(settings, terms, watcher):
    def strategy(chosen=settings, *, release=None, directory=None, **changes):
        asked = RunTerms(
            visit=terms, largest_library=10, frozen=np.float32([7, 8]), digest="d" * 64
        )
        return RoundStrategy(
            chosen,
            dataclasses.replace(asked, **changes),
            seed=11,
            directory=directory or RangeDirectory(FIRST, DEVICES),
            observer=watcher,
            release=release,
        )

    return strategy


def rounds(strategy, grid, start, number=1):
    return strategy.run(grid, start, rounds=number)


def test_the_cohort_of_each_round_is_the_poisson_draw_of_seed_and_round(
    make, device_grid, start, watcher
):
    grid = device_grid(honest)
    rounds(make(), grid, start, 2)
    asked = [[], []]
    for message in grid.sent:
        asked[task_of(message).round - 1].append(device_of(message))
    for number, devices in enumerate(asked, start=1):
        draws = generator(11, round_number=number, attempt=0)
        assert devices == draw(DEVICES, rate=5 / 8, generator=draws).tolist()
    assert watcher.begun == [(1, len(asked[0])), (2, len(asked[1]))]


def test_sgd_with_rate_one_adds_the_uniform_mean(make, settings, device_grid, start, watcher):
    released = rounds(make(everyone(settings)), device_grid(honest), start)
    assert released.tolist() == [3.5 / 16, 1 / 16, 0]
    (outcome,) = watcher.outcomes
    assert (outcome.round, outcome.invited, outcome.admitted, outcome.missing) == (1, 8, 8, 0)
    assert outcome.participants == tuple(range(8))
    assert outcome.parameters.tolist() == released.tolist()
    assert not outcome.parameters.flags.writeable


class Largest:
    """The largest of each coordinate, as a rule that is no mean."""

    def aggregate(self, deltas):
        found = list(deltas)
        return np.max(found, axis=0).astype(np.float64) if found else None


def test_another_rule_makes_another_mean_of_the_updates(make, settings, device_grid, start):
    other = dataclasses.replace(everyone(settings), aggregation=Largest())
    assert rounds(make(other), device_grid(honest), start).tolist() == [7 / 16, 1 / 16, 0]


def test_where_the_server_protects_devices_the_release_is_its_mechanisms(
    make, settings, at_server, device_grid, start
):
    settings_of_devices = dataclasses.replace(at_server.independent, noise_multiplier=1e-9)
    chosen = dataclasses.replace(everyone(settings), aggregation=Largest())
    run_of = Federation(devices=DEVICES, rounds=chosen.rounds, cohort=chosen.cohort)
    release = charged_release(
        settings_of_devices.protected(run_of),
        noise="insecure_seeded",
        layers=(3,),
        seed=1,
        folder="",
    )
    released = rounds(make(chosen, release=release), device_grid(honest), start)
    assert released.tolist() == pytest.approx([3.5 / 16, 1 / 16, 0], abs=1e-6)


def test_the_order_of_arrival_changes_no_bit(make, terms, settings, device_grid, start):
    # In float64, (1e17 + 1) - 1e17 is 0 and (1e17 - 1e17) + 1 is 1: the order shows.
    firsts = [1e17, 1, -1e17, 0, 1, 1e17, 0, -1e17]
    free = dataclasses.replace(terms, clip=float("inf"), private=False)

    def answer(message):
        return honest(message, delta=[firsts[device_of(message)], 0, 0])

    def released(order):
        grid = device_grid(answer, arrangement=lambda replies: [replies[i] for i in order])
        strategy = make(everyone(settings), visit=free)
        return vector(strategy.start(grid, arrays_of(start), num_rounds=2).arrays).tobytes()

    straight = released(range(DEVICES))
    assert released([0, 2, 1, 3, 4, 5, 7, 6]) == straight
    assert released([5, 7, 2, 0, 1, 6, 3, 4]) == straight


BAD_DELTAS = {
    "nan": ([np.nan, 0, 0], RefusalReason.NOT_FINITE),
    "infinite": ([0, -np.inf, 0], RefusalReason.NOT_FINITE),
    "huge": ([1e30, 0, 0], RefusalReason.NORM),
    "short": ([1], RefusalReason.WRONG_LENGTH),
}


@pytest.mark.parametrize(("delta", "reason"), BAD_DELTAS.values(), ids=BAD_DELTAS)
def test_a_device_that_sends_nonsense_is_refused_and_the_round_still_closes(
    delta, reason, make, settings, device_grid, start, watcher
):
    def answer(message):
        return honest(message, delta=delta if device_of(message) == 0 else None)

    released = rounds(make(everyone(settings)), device_grid(answer), start)
    assert released.tolist() == pytest.approx([4 / 16, 1 / 16, 0])
    assert watcher.outcomes[0].refused == {reason: 1}
    assert watcher.outcomes[0].admitted == 7


def test_errors_and_silence_are_counted_and_the_rest_is_averaged(
    make, settings, device_grid, start, watcher
):
    def answer(message):
        match device_of(message):
            case 0:
                return Message(Error(2, "ValueError:<'IMG_1234.jpg'>"), reply_to=message)
            case 1:
                return None
            case 2:
                return declines(message, DeclineReason.PARTICIPATIONS_SPENT)
            case _:
                return honest(message, delta=[0.5, 0, 0])

    released = rounds(make(everyone(settings)), device_grid(answer), start)
    (outcome,) = watcher.outcomes
    assert released.tolist() == [0.5, 0, 0]
    assert outcome.refused == {RefusalReason.DEVICE_FAILED: 1}
    assert outcome.declined == {DeclineReason.PARTICIPATIONS_SPENT: 1}
    assert (outcome.admitted, outcome.missing) == (5, 1)
    assert outcome.participants == (0, 1, 3, 4, 5, 6, 7)


def test_a_repeated_reply_counts_once_and_a_stranger_not_at_all(
    make, settings, device_grid, start, watcher
):
    def twice_and_a_stranger(replies):
        stranger = honest(grid.sent[0], delta=[9, 9, 9])
        stranger.metadata.__dict__["_src_node_id"] = FIRST + DEVICES
        return [stranger, *replies, replies[3]]

    grid = device_grid(honest, arrangement=twice_and_a_stranger)
    released = make(everyone(settings)).start(grid, arrays_of(start), num_rounds=1)
    assert vector(released.arrays).tolist() == [3.5 / 16, 1 / 16, 0]
    (outcome,) = watcher.outcomes
    assert outcome.refused == {RefusalReason.DUPLICATE: 1, RefusalReason.UNKNOWN_SENDER: 1}
    assert (outcome.admitted, outcome.missing) == (8, 0)


def test_every_device_that_was_asked_is_counted_once_whatever_came_of_it(
    make, settings, device_grid, start, watcher
):
    """One speaks for another, one sends what cannot be read, one is gone, one writes none."""

    def answer(message):
        reply = honest(message, delta=[0.5, 0, 0])
        match device_of(message):
            case 0:
                reply.metadata.__dict__["_src_node_id"] = FIRST + 1
            case 2:
                raise ValueError("{not json")
            case 3:
                return None
            case 4:
                reply.content["vectors"]["delta"].shape = None
        return reply

    released = rounds(make(everyone(settings)), device_grid(answer), start)
    (outcome,) = watcher.outcomes
    assert released.tolist() == [0.5, 0, 0]
    assert outcome.refused == {RefusalReason.NOT_A_REPLY: 3}
    assert (outcome.admitted, outcome.missing, outcome.invited) == (4, 1, 8)


def test_a_directory_that_grows_moves_no_coin_and_who_has_not_come_is_missing(
    make, settings, device_grid, start, watcher, terms
):
    """Coins are tossed for numbers, whoever is there: the rate is the one that is charged."""

    def answer(message):
        node = message.metadata.dst_node_id
        if message.metadata.message_type == MessageType.QUERY:
            grid.nodes = [FIRST + device for device in range(DEVICES)]
            return Message(encode_device(node - FIRST), reply_to=message)
        return honest(message)

    grid = device_grid(answer, [FIRST])
    directory = GrowingDirectory(grid, DEVICES, timeout=5.0)
    rounds(make(settings, directory=directory), grid, start, 3)
    begun, rate = watcher.begun, settings.cohort / DEVICES
    draws = [generator(11, round_number=n, attempt=0) for n in (1, 2, 3)]
    cohorts = [draw(DEVICES, rate=rate, generator=one) for one in draws]
    assert begun == [(n, len(one)) for n, one in enumerate(cohorts, start=1)]
    there = [{0}, set(range(DEVICES)), set(range(DEVICES))]
    for outcome, cohort, nodes in zip(watcher.outcomes, cohorts, there, strict=True):
        assert outcome.missing == len(set(cohort.tolist()) - nodes)
        assert outcome.admitted + outcome.missing == outcome.invited


def test_a_round_without_an_update_releases_nothing_and_the_next_goes_on(
    make, settings, device_grid, start, watcher
):
    def answer(message):
        return honest(message, delta=[0.5, 0, 0]) if task_of(message).round == 2 else None

    released = rounds(make(everyone(settings)), device_grid(answer), start, 2)
    assert [outcome.admitted for outcome in watcher.outcomes] == [0, 8]
    assert [outcome.missing for outcome in watcher.outcomes] == [8, 0]
    assert watcher.outcomes[0].parameters.tolist() == [0, 0, 0]
    assert released.tolist() == [0.5, 0, 0]


def test_an_empty_cohort_is_a_round_like_any_other(make, settings, device_grid, start, watcher):
    nobody = dataclasses.replace(settings, cohort=1e-9)
    released = rounds(make(nobody), device_grid(honest), start)
    assert released.tolist() == [0, 0, 0]
    assert watcher.outcomes[0].invited == 0
    assert watcher.outcomes[0].participants == ()


def test_later_rounds_start_from_the_released_parameters(make, settings, device_grid, start):
    seen = []

    def answer(message):
        seen.append((task_of(message).round, task_of(message).parameters.tolist()))
        return honest(message, delta=[0.25, 0, 0])

    rounds(make(everyone(settings)), device_grid(answer), start, 2)
    assert {str(pair) for pair in seen} == {
        str((1, [0.0, 0.0, 0.0])),
        str((2, [0.25, 0.0, 0.0])),
    }


def test_the_model_of_a_run_is_the_average_and_training_goes_on_from_the_last(
    make, settings, device_grid, start, watcher
):
    averaging = dataclasses.replace(everyone(settings), averaged=2)
    grid = device_grid(lambda message: honest(message, delta=[0.25, 0, 0]))

    model = rounds(make(averaging), grid, start, 3)

    assert model.tolist() == [(0.5 + 0.75) / 2, 0, 0]
    assert [outcome.parameters[0] for outcome in watcher.outcomes] == [0.25, 0.375, 0.625]


def test_the_frozen_part_is_sent_again_where_a_reply_did_not_show_that_it_is_held(
    make, settings, device_grid, start
):
    def answer(message):
        if device_of(message) == 1:
            return declines(message, DeclineReason.FROZEN_PART_MISSING)
        return honest(message) if device_of(message) else None

    grid = device_grid(answer)
    rounds(make(everyone(settings)), grid, start, 2)
    second = [message for message in grid.sent if task_of(message).round == 2]
    again = [device_of(one) for one in second if task_of(one).frozen is not None]
    assert again == [0, 1]


def test_messages_can_be_walked_over_twice_as_flowers_http_grid_does(
    make, settings, device_grid, start
):
    messages = make(everyone(settings)).configure_train(
        1, arrays_of(start), ConfigRecord(), device_grid(honest)
    )
    assert len(list(messages)) == len(list(messages)) == DEVICES


def test_flowers_own_loop_gives_the_same_parameters(make, settings, device_grid, start):
    adam = dataclasses.replace(
        settings, optimizer=Adam(lr=0.1, beta1=0.9, beta2=0.99, tau=1e-3)
    )
    ours = make(adam).run(device_grid(honest), start, rounds=3)
    theirs = make(adam).start(device_grid(honest), arrays_of(start), num_rounds=3)
    assert vector(theirs.arrays).tobytes() == ours.tobytes()
    assert not theirs.evaluate_metrics_clientapp


def test_one_round_of_yogi_follows_the_settings(make, settings, device_grid, start):
    yogi = Yogi(lr=0.5, beta1=0.9, beta2=0.99, tau=0.1)
    chosen = dataclasses.replace(everyone(settings), optimizer=yogi)
    grid = device_grid(lambda message: honest(message, delta=[0.5, 0, 0]))
    # v = .01 + .01 * .25, m = .1 * .5
    expected = 0.5 * 0.05 / (np.sqrt(0.0125) + 0.1)
    assert rounds(make(chosen), grid, start).tolist() == pytest.approx([expected, 0, 0])


def test_a_cohort_larger_than_the_population_is_refused(make, settings):
    with pytest.raises(ValueError, match=r"server\.cohort=9 exceeds .* train, 8; lower it"):
        make(dataclasses.replace(settings, cohort=9.0))


def test_without_privacy_only_the_norm_is_free(
    make, terms, settings, device_grid, start, watcher
):
    free = dataclasses.replace(terms, clip=float("inf"), private=False)

    def answer(message):
        return honest(message, delta=[1e6, 0, np.nan if device_of(message) == 3 else 0])

    rounds(make(everyone(settings), visit=free), device_grid(answer), start)
    assert watcher.outcomes[0].admitted == 7
    assert watcher.outcomes[0].refused == {RefusalReason.NOT_FINITE: 1}


def test_replies_before_any_round_are_a_mistake_of_the_caller(make):
    with pytest.raises(RuntimeError, match="before a round"):
        make().aggregate_train(1, [])


def test_a_reply_of_another_kind_is_refused(make, settings, device_grid, start, watcher):
    grid = device_grid(lambda message: Message(RecordDict(), reply_to=message))
    rounds(make(everyone(settings)), grid, start)
    assert watcher.outcomes[0].refused == {RefusalReason.NOT_A_REPLY: 8}
