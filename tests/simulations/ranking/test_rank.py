import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rankings import ranker, ranking

from photos.folder.skips import Skip
from ranking.weights import Origin, public_weights_path, save_weights
from simulations.ranking import results as results_module
from simulations.ranking import scored_list
from simulations.ranking.own_photographs import read_own
from simulations.ranking.rank import rank

SIDE = 16
ORIGIN = Origin(
    seed=0, command="darkroom simulate", ranking=ranking("lora"), side=SIDE, photos="folder"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "2026-05-14-real-photos-1"
    folder.mkdir()
    save_weights(ranker("lora"), folder / "model.safetensors", origin=ORIGIN)
    return folder


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_flat_folder_is_one_moment_ranked_by_falling_score(run, tmp_path, photos):
    photos(tmp_path / "album", 5)
    ranked = rank(run, tmp_path / "album", out=tmp_path / "out")
    rows = _rows(ranked.table)
    assert (ranked.moments, ranked.photos, ranked.skipped) == (1, 5, {})
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert {row["moment"] for row in rows} == {"album"}
    assert {row["photo"] for row in rows} == {f"{number:03}.png" for number in range(5)}
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 5


def test_the_scores_are_the_models_own(run, tmp_path, photos):
    photos(tmp_path / "album", 3)
    ranked = rank(run, tmp_path / "album", out=tmp_path / "out")
    photos = read_own(tmp_path / "album", side=SIDE).lists[0].photographs
    pixels = torch.tensor(np.stack([photo.pixels for photo in photos])).permute(0, 3, 1, 2)
    with torch.no_grad():
        there = torch.ones(1, 3, dtype=torch.bool)
        expected = ranker("lora")(pixels[None] / 255, where=there)[0]
    found = {row["photo"]: float(row["score"]) for row in _rows(ranked.table)}
    assert [found[photo.name] for photo in photos] == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_device_folder_has_a_list_for_each_moment(run, tmp_path, photos):
    photos(tmp_path / "phone" / "beach", 3)
    photos(tmp_path / "phone" / "party", 2)
    rows = _rows(rank(run, tmp_path / "phone", out=tmp_path / "out").table)
    assert [row["moment"] for row in rows] == ["beach"] * 3 + ["party"] * 2
    assert rows[4]["photo"].startswith("party/")


def test_a_folder_of_devices_has_a_list_for_each_moment_of_each(run, tmp_path, photos):
    photos(tmp_path / "all" / "phone" / "beach", 2)
    photos(tmp_path / "all" / "tablet" / "beach", 2)
    rows = _rows(rank(run, tmp_path / "all", out=tmp_path / "out").table)
    assert [row["moment"] for row in rows] == ["phone/beach"] * 2 + ["tablet/beach"] * 2
    assert rows[0]["photo"].startswith("phone/beach/")


def test_the_sheet_is_a_picture_with_a_row_for_each_moment(run, tmp_path, photos):
    photos(tmp_path / "phone" / "a", 2)
    (first,) = _heights(run, tmp_path)
    photos(tmp_path / "phone" / "b", 2)
    (second,) = _heights(run, tmp_path)
    assert second > first


def _heights(run: Path, tmp_path: Path) -> list[int]:
    with Image.open(
        rank(run, tmp_path / "phone", out=tmp_path / "out", force=True).sheet
    ) as sheet:
        assert sheet.format == "PNG"
        return [sheet.height]


def test_the_page_has_a_row_a_moment_and_names_the_model(run, tmp_path, photos):
    photos(tmp_path / "phone" / "beach", 3)
    photos(tmp_path / "phone" / "<b>party", 2)
    ranked = rank(run, tmp_path / "phone", out=tmp_path / "out")
    text = ranked.page.read_text(encoding="utf-8")
    assert text.count("<section ") == 2
    assert "&lt;b&gt;party" in text
    assert (
        f"Ranked by {run.name}, trained on photographs: 2 moments, in each the best photo "
        "first." in text
    )
    shown = [
        name for name in re.findall(r'alt="([^"]*)"', text[text.index(">beach<") :]) if name
    ]
    table = [Path(row["photo"]).name for row in _rows(ranked.table) if row["moment"] == "beach"]
    assert shown[:3] == table


def test_a_photo_is_decoded_once_more_for_page_and_sheet_together(
    run, tmp_path, monkeypatch, photos
):
    sides = []
    real = scored_list.decode
    monkeypatch.setattr(
        scored_list, "decode", lambda path, side: sides.append(side) or real(path, side=side)
    )
    photos(tmp_path / "album", 5)
    rank(run, tmp_path / "album", out=tmp_path / "out")
    assert sides == [160] * 5


def test_stars_and_badges_come_from_the_feedback_table(run, tmp_path, monkeypatch, photos):
    seen = []
    real = results_module.contact_sheet
    monkeypatch.setattr(
        results_module, "contact_sheet", lambda rows, **k: seen.extend(rows) or real(rows, **k)
    )
    photos(tmp_path / "phone" / "a", 4)
    (tmp_path / "phone" / "feedback.csv").write_text(
        "photo,burst,feedback\na/000.png,x,favourite\na/001.png,x,keep\na/002.png,,delete\n"
    )
    ranked = rank(run, tmp_path / "phone", out=tmp_path / "out")
    order = [row["photo"] for row in _rows(ranked.table)]
    thumbnails = dict(zip(order, seen[0].thumbnails, strict=True))
    assert [name for name in order if thumbnails[name].favourite] == ["a/000.png"]
    later = max("a/000.png", "a/001.png", key=order.index)
    assert [name for name in order if thumbnails[name].duplicate] == [later]


def test_a_long_sheet_says_that_the_page_shows_the_rest(run, tmp_path, monkeypatch, photos):
    subtitles = []
    real = results_module.contact_sheet
    monkeypatch.setattr(
        results_module,
        "contact_sheet",
        lambda rows, *, title, subtitle: (
            subtitles.append(subtitle) or real(rows, title=title, subtitle=subtitle)
        ),
    )
    monkeypatch.setattr(results_module, "LARGEST_SHEET", 1)
    photos(tmp_path / "phone" / "a", 2)
    photos(tmp_path / "phone" / "b", 2)
    ranked = rank(run, tmp_path / "phone", out=tmp_path / "out")
    assert len(_rows(ranked.table)) == ranked.page.read_text().count("<img ") == 4
    assert "the first 1 of 2 moments; ranking.html shows all" in subtitles[0]


def test_what_is_skipped_is_said_with_its_reason(run, tmp_path, photos, photo):
    photos(tmp_path / "phone" / "a", 2)
    (tmp_path / "phone" / "a" / "x.jpg").write_text("no photo")
    photo(tmp_path / "phone" / "lonely" / "a.png")
    ranked = rank(run, tmp_path / "phone", out=tmp_path / "out")
    assert ranked.skipped == {Skip.NOT_A_PHOTO: 1, Skip.FEW_PHOTOS: 1}
    assert ranked.lines()[0].startswith("2 photos in 1 moment: ")
    assert ranked.lines()[1:] == (
        f"skipped 1 × {Skip.FEW_PHOTOS}",
        f"skipped 1 × {Skip.NOT_A_PHOTO}",
    )


def test_without_a_place_it_writes_into_the_working_directory_alone(
    run, tmp_path, monkeypatch, photos
):
    photos(tmp_path / "album", 2)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = (
        {path.name for path in run.iterdir()},
        {p.name for p in (tmp_path / "album").iterdir()},
    )
    ranked = rank(run, tmp_path / "album", out=None)
    assert ranked.sheet.resolve() == tmp_path / "here" / "ranking-album" / "contact-sheet.png"
    after = (
        {path.name for path in run.iterdir()},
        {p.name for p in (tmp_path / "album").iterdir()},
    )
    assert before == after


def test_a_ranking_is_replaced_only_where_that_is_asked_for(run, tmp_path, photos):
    photos(tmp_path / "album", 2)
    first = rank(run, tmp_path / "album", out=tmp_path / "out").table.read_bytes()
    photos(tmp_path / "album", 3)
    with pytest.raises(ValueError, match="out is there and not empty: replace former results"):
        rank(run, tmp_path / "album", out=tmp_path / "out")
    assert (tmp_path / "out" / "ranking.csv").read_bytes() == first
    ranked = rank(run, tmp_path / "album", out=tmp_path / "out", force=True)
    assert len(_rows(ranked.table)) == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("contact-sheet.png", "ranking.csv", "ranking.html")
    ]


def test_pages_of_a_longer_ranking_go_with_it_and_other_files_are_never_touched(
    run, tmp_path, photos
):
    photos(tmp_path / "album", 2)
    (tmp_path / "out").mkdir()
    for name in ("ranking.html", "ranking-2.html"):
        (tmp_path / "out" / name).write_text("former")
    rank(run, tmp_path / "album", out=tmp_path / "out", force=True)
    assert not (tmp_path / "out" / "ranking-2.html").exists()
    (tmp_path / "out" / "ranking-of-mine.html").write_text("mine")
    with pytest.raises(ValueError, match=r"such as ranking-of-mine\.html, and --force"):
        rank(run, tmp_path / "album", out=tmp_path / "out", force=True)


@pytest.mark.parametrize("place", ["run", "run/new", "album", "album/new"])
def test_neither_the_runs_folder_nor_that_of_the_photos_is_written_to(
    run, tmp_path, photos, place
):
    photos(tmp_path / "album", 2)
    shutil.copytree(run, tmp_path / "run")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="lies in the folder of your photos or of the run"):
        rank(tmp_path / "run", tmp_path / "album", out=tmp_path / place, force=True)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("ends", [KeyboardInterrupt, OSError])
def test_what_ends_the_writing_leaves_nothing(run, tmp_path, monkeypatch, photos, ends):
    photos(tmp_path / "album", 2)
    before = sorted(tmp_path.rglob("*"))

    def end(*_, **__):
        raise ends

    monkeypatch.setattr(results_module, "contact_sheet", end)
    with pytest.raises((KeyboardInterrupt, ValueError)):
        rank(run, tmp_path / "album", out=tmp_path / "deep" / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_without_a_model_is_one_sentence(tmp_path, photos):
    photos(tmp_path / "album", 2)
    for place in (tmp_path, tmp_path / "missing"):
        with pytest.raises(
            ValueError, match=r"holds no model.safetensors: name the folder of a"
        ):
            rank(place, tmp_path / "album", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_model_is_one_sentence(run, tmp_path, photos):
    content = bytearray((run / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)
    photos(tmp_path / "album", 2)
    with pytest.raises(ValueError, match="is damaged"):
        rank(tmp_path, tmp_path / "album", out=tmp_path / "out")


def test_a_missing_folder_is_one_sentence(run, tmp_path):
    with pytest.raises(
        ValueError, match=r"missing is not a folder that can be listed \(No such"
    ):
        rank(run, tmp_path / "missing", out=tmp_path / "out")


def test_a_folder_without_photos_is_one_sentence(run, tmp_path, photo):
    (tmp_path / "album").mkdir()
    with pytest.raises(ValueError, match=r"holds no photos to rank: put \.jpg"):
        rank(run, tmp_path / "album", out=tmp_path / "out")
    photo(tmp_path / "album" / "a.png")
    (tmp_path / "album" / "b.jpg").write_text("no photo")
    with pytest.raises(ValueError, match="holds no photos to rank: 1 × moment of fewer than 2"):
        rank(run, tmp_path / "album", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_place_that_is_a_file_is_one_sentence(run, tmp_path, photos):
    photos(tmp_path / "album", 2)
    (tmp_path / "out").touch()
    with pytest.raises(ValueError, match="cannot hold the ranking"):
        rank(run, tmp_path / "album", out=tmp_path / "out")


def test_a_photo_that_vanishes_is_shown_as_the_model_saw_it(run, tmp_path, monkeypatch, photos):
    photos(tmp_path / "album", 2)
    monkeypatch.setattr(scored_list, "decode", lambda *_, **__: Skip.UNREADABLE)
    assert rank(run, tmp_path / "album", out=tmp_path / "out").sheet.is_file()


def test_ratings_are_written_beside_nothing_of_the_owners(run, tmp_path, photos):
    photos(tmp_path / "phone" / "a", 3)
    (tmp_path / "phone" / "a" / "000.png.xmp").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    for place in ("phone", "phone/new", "out/inner"):
        with pytest.raises(ValueError, match=r"name another folder with --xmp\.$"):
            rank(run, tmp_path / "phone", out=tmp_path / "out", xmp=tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before
    ranked = rank(run, tmp_path / "phone", out=tmp_path / "out", xmp=tmp_path / "stars")
    best, *_ = _rows(ranked.table)
    assert 'xmp:Rating="5"' in (tmp_path / "stars" / f"{best['photo']}.xmp").read_text()
    assert len(list((tmp_path / "stars").rglob("*.xmp"))) == 3
    assert ranked.lines()[0].endswith(f"contact-sheet.png, {tmp_path / 'stars'}")
    assert (tmp_path / "phone" / "a" / "000.png.xmp").read_text() == "mine"


def test_without_a_run_the_public_ranker_of_photographs_ranks_without_a_warning(
    tmp_path, photos
):
    photos(tmp_path / "album", 2)
    ranked = rank(None, tmp_path / "album", out=tmp_path / "out")
    assert ranked.warning == ""
    text = ranked.page.read_text()
    assert '<p class="warning">' not in text
    assert "Ranked by the public ranker, trained on photographs: 1 moment" in text


def test_a_model_of_drawings_warns_on_the_screen_and_on_the_page(tmp_path, photos):
    photos(tmp_path / "album", 2)
    ranked = rank(public_weights_path(), tmp_path / "album", out=tmp_path / "out")
    assert ranked.warning.startswith("The model was trained on drawings and has seen no photo")
    assert ranked.lines()[-1] == ranked.warning
    assert f'<p class="warning">{ranked.warning}</p>' in ranked.page.read_text()


def test_a_run_without_photographs_asks_for_them(run):
    with pytest.raises(
        ValueError, match=r"is a run: name the folder of your photographs after"
    ):
        rank(None, run, out=None)
