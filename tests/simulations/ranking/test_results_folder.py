"""Results appear whole or not at all, and never over what is the owner's."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from simulations.ranking.results_folder import ResultsFolder, check_apart, whole


@pytest.fixture
def home(tmp_path):
    """A folder with photos, a run and a public half that stands alone."""
    (tmp_path / "album" / "beach").mkdir(parents=True)
    (tmp_path / "album" / "a.jpg").write_text("a photo")
    for half in ("private", "public"):
        (tmp_path / "run" / half).mkdir(parents=True)
    (tmp_path / "run" / "private" / "config.yaml").touch()
    (tmp_path / "shared").mkdir()
    for name in ("model.safetensors", "privacy.json"):
        (tmp_path / "shared" / name).touch()
    return tmp_path


def results(home: Path, place: Path | str) -> ResultsFolder:
    return ResultsFolder(
        option="--out",
        path=home / place,
        earlier=lambda entry: entry.suffix == ".result",
        protected=(home / "album",),
    )


def everything(folder: Path) -> dict[str, str | None]:
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def written(*folders: ResultsFolder, force=False, text="new", ends=None):
    with whole(folders, force=force) as drafts:
        for draft in drafts:
            (draft / "one.result").write_text(text)
            (draft / "inner").mkdir()
            (draft / "inner" / "two.result").write_text(text)
        if ends is not None:
            raise ends


@pytest.mark.parametrize("place", ["new", "deep/er/new", "album-2", "albu"])
def test_what_is_drafted_stands_in_its_place_at_the_end(home, place):
    written(results(home, place))
    assert everything(home / place) == {
        **{"inner": None, "inner/two.result": "new", "one.result": "new"}
    }


def test_an_empty_folder_is_taken_as_it_is(home, monkeypatch):
    (home / "empty").mkdir(mode=0o750)
    number = (home / "empty").stat().st_ino
    monkeypatch.chdir(home / "empty")
    written(replace(results(home, "empty"), path=Path()))
    assert Path("one.result").read_text() == "new"
    assert (home / "empty").stat().st_ino == number


@pytest.mark.parametrize(
    "place",
    [
        *("album", "album/new", "album/beach/new", "new/../album/x", "link", "link/new"),
        *("run", "run/new", "run/private/new", "run/public", "shared", "shared/new"),
    ],
)
def test_the_folders_of_photos_and_runs_stay_as_they_are(home, place):
    (home / "link").symlink_to(home / "album")
    before = everything(home)
    for force in (False, True):
        with pytest.raises(ValueError, match=r"lies in the folder of .*stays? as .*--out\.$"):
            results(home, place).check(force=force)
        with suppress(ValueError):
            written(results(home, place), force=force)
    assert everything(home) == before


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "folder"])
def test_what_is_no_former_result_is_never_replaced(home, name):
    (home / "mine").mkdir()
    (home / "mine" / "one.result").write_text("former")
    (home / "mine" / name).mkdir() if name == "folder" else (home / "mine" / name).touch()
    before = everything(home)
    with pytest.raises(ValueError, match="is there and not empty: replace former results with"):
        written(results(home, "mine"))
    with pytest.raises(ValueError, match=rf"holds more than former results, such as {name}, "):
        written(results(home, "mine"), force=True)
    assert everything(home) == before


def test_former_results_are_replaced_when_that_is_asked_for_and_none_of_them_stays(home):
    (home / "mine").mkdir()
    for name in ("one.result", "third.result"):
        (home / "mine" / name).write_text("former")
    written(results(home, "mine"), force=True)
    assert list(everything(home / "mine")) == ["inner", "inner/two.result", "one.result"]
    assert (home / "mine" / "one.result").read_text() == "new"


@pytest.mark.parametrize("kind", ["file", "dangling"])
def test_a_place_that_is_no_folder_is_one_sentence(home, kind):
    if kind == "file":
        (home / "place").write_text("mine")
    else:
        (home / "place").symlink_to(home / "nowhere")
    with pytest.raises(
        ValueError, match="is no folder and cannot hold the ranking: name another"
    ):
        results(home, "place").check(force=True)


@pytest.mark.parametrize("ends", [KeyboardInterrupt(), OSError("disk full"), MemoryError()])
def test_whatever_ends_the_work_leaves_all_as_it_was(home, ends):
    (home / "mine").mkdir()
    (home / "mine" / "one.result").write_text("former")
    before = everything(home)
    with pytest.raises(type(ends)):
        written(results(home, "mine"), results(home, "deep/er/new"), force=True, ends=ends)
    assert everything(home) == before


@pytest.mark.parametrize("after", range(6))
def test_an_interrupt_between_two_moves_puts_everything_back(home, monkeypatch, after):
    """Two former results go, two new entries come, and two into the other folder."""
    (home / "mine").mkdir()
    for name in ("one.result", "third.result"):
        (home / "mine" / name).write_text("former")
    before = everything(home)
    real, moves = Path.rename, []

    def interrupted(path, target):
        moves.append(path)
        if len(moves) == after + 1:
            raise KeyboardInterrupt
        return real(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        written(results(home, "mine"), results(home, "other"), force=True)
    assert everything(home) == before


def test_a_file_that_came_meanwhile_is_not_overwritten(home):
    (home / "mine").mkdir()
    drafts = whole([results(home, "mine")], force=False)
    (draft,) = drafts.__enter__()
    (draft / "one.result").write_text("new")
    (home / "mine" / "one.result").write_text("theirs")
    with pytest.raises(ValueError, match="is there and not empty"):
        drafts.__exit__(None, None, None)
    assert everything(home / "mine") == {"one.result": "theirs"}


@pytest.mark.parametrize("places", [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "x/../a/b")])
def test_folders_of_results_that_are_not_apart_are_refused(home, places):
    with pytest.raises(ValueError, match="which holds other results: name another folder"):
        check_apart([results(home, place) for place in places])
    check_apart([results(home, place) for place in ("a", "ab", "b/a")])


def test_a_draft_that_a_power_cut_left_is_no_obstacle(home):
    (home / "mine" / ".darkroom-abc" / "new").mkdir(parents=True)
    written(results(home, "mine"))
    assert (home / "mine" / "one.result").read_text() == "new"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_closed_folder_is_an_error_of_the_system_and_leaves_nothing(home):
    (home / "closed").mkdir(mode=0o500)
    with pytest.raises(OSError, match="Permission denied"):
        written(results(home, "closed/new"))
    assert everything(home / "closed") == {}
