from server.rounds.directory import RangeDirectory
from server.rounds.outcome import KnowsDirectory, RoundObserver


def test_a_grid_without_a_directory_is_no_directory_and_no_observer(device_grid):
    grid = device_grid(lambda message: None)
    assert not isinstance(grid, KnowsDirectory)
    assert not isinstance(grid, RoundObserver)


def test_a_grid_with_a_directory_is_recognised(device_grid, watcher):
    grid = device_grid(lambda message: None)
    grid.directory = RangeDirectory(0, 3)
    assert isinstance(grid, KnowsDirectory)
    assert isinstance(watcher, RoundObserver)
