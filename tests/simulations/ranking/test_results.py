"""What a ranking leaves, and what is known by its name as left by one."""

import pytest

from simulations.ranking.results import folder_name, former, moments


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *[(name, True) for name in ("ranking.csv", "contact-sheet.png", "ranking.html")],
        *[(name, True) for name in ("ranking-2.html", "ranking-41.html")],
        *[(name, False) for name in ("ranking-.html", "ranking-a.html", "ranking.csv.bak")],
        *[(name, False) for name in ("Ranking.csv", "notes.txt", ".ranking.html")],
    ],
)
def test_files_of_a_ranking_are_known_by_their_names(tmp_path, name, ours):
    (tmp_path / name).touch()
    assert former(tmp_path / name) == ours


def test_neither_a_folder_nor_a_link_is_a_file_of_a_ranking(tmp_path):
    (tmp_path / "ranking.csv").mkdir()
    (tmp_path / "contact-sheet.png").symlink_to(tmp_path / "mine.png")
    (tmp_path / "mine.png").touch()
    assert not former(tmp_path / "ranking.csv")
    assert not former(tmp_path / "contact-sheet.png")


def test_a_folder_is_called_like_what_it_leads_to(tmp_path, monkeypatch):
    (tmp_path / "album").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "album")
    monkeypatch.chdir(tmp_path / "album")
    for path in (
        tmp_path / "link",
        tmp_path / "album" / ".",
        tmp_path.joinpath("x", "..", "album"),
    ):
        assert folder_name(path) == "album"


def test_a_moment_and_moments():
    assert [moments(count) for count in (1, 2)] == ["1 moment", "2 moments"]
