import torch

from client.draw import MOMENTS_AT_ONCE, draw
from privacy.noise import SecureSource, SeededSource
from privacy.sampling import PoissonSampling


def numbers(parts):
    return torch.cat([part.numbers for part in parts]).tolist()


def test_a_moment_is_drawn_whatever_its_neighbours_do(lab):
    examples = lab.moments("linear", [2] * 40)
    sampling = PoissonSampling(rate=0.5)
    whole = numbers(draw(examples, sampling=sampling, stream=SeededSource(1).stream("s")))
    assert 5 < len(whole) < 35
    for row in (0, 17, 39):
        less = lab.without(examples, row)
        drawn = numbers(draw(less, sampling=sampling, stream=SeededSource(1).stream("s")))
        assert drawn == [number for number in whole if number != 10 + row]


def test_a_draw_is_cut_into_parts_in_order(lab):
    examples = lab.moments("linear", [2] * 70)
    parts = draw(examples, sampling=PoissonSampling(1.0), stream=SecureSource().stream())
    assert [len(part.numbers) for part in parts] == [MOMENTS_AT_ONCE, MOMENTS_AT_ONCE, 6]
    assert numbers(parts) == list(range(10, 80))


def test_a_draw_of_nothing_is_one_part_of_nothing(lab):
    for examples in (lab.moments("linear", []), lab.moments("linear", [3, 4])):
        stream = SecureSource().stream()
        (part,) = draw(examples, sampling=PoissonSampling(1e-12), stream=stream)
        assert part.numbers.shape == (0,)
        assert part.where.shape == (0, 0)


def test_padding_that_no_drawn_moment_needs_is_dropped(lab):
    examples = lab.moments("linear", [3, 2], padding=5)
    (part,) = draw(examples, sampling=PoissonSampling(1.0), stream=SecureSource().stream())
    assert part.inputs.shape == (2, 3, 64)
    assert part.gains.shape == part.where.shape == (2, 3)
    assert part.where.tolist() == [[True, True, True], [True, True, False]]


def test_padding_in_front_is_kept(lab):
    examples = lab.moments("linear", [3])
    examples.where[0, 0] = False
    (part,) = draw(examples, sampling=PoissonSampling(1.0), stream=SecureSource().stream())
    assert part.where.tolist() == [[False, True, True]]
