"""A photo library as people have it: 40 kinds of files, each in a folder of its own.

The clock of photos.zone is Europe/Berlin's: UTC+1 in winter, UTC+2 in summer.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exif_blocks import TAKEN, block, text
from photo_files import keywords, packet, photo, takeout

from photos.folder.skips import Skip
from photos.owned.metadata.capture_time import TimeSource
from photos.owned.metadata.ratings import RatingSource
from photos.owned.skips import Left

FAVOURITE, KEEP, DELETE = "favourite", "keep", "delete"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of folder, and what is read of it.

    Attributes:
        write: Fills the folder.
        moments: The names of each moment's photos in order, lone ones included.
        ratings: What the owner did with each photo of which a source says it.
        times: How many times are from each source.
        by: How many ratings are from each source, where that is the kind's point.
        bursts: The bursts of the moments that say an order.
        skipped: What is left out of the library, by reason.
        utc: When some photos were taken.
    """

    write: Callable[[Path], None]
    moments: list[list[str]]
    ratings: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[TimeSource, int] = field(default_factory=dict)
    by: Mapping[RatingSource, int] = field(default_factory=dict)
    bursts: list[list[int]] = field(default_factory=list)
    skipped: Mapping[str, int] = field(default_factory=dict)
    utc: Mapping[str, str] = field(default_factory=dict)


def shots(folder: Path, *names: str, day: str = "2024:01:10", **named: object) -> None:
    """Photos a minute apart, from noon on."""
    for place, name in enumerate(names):
        photo(folder / name, seed=place, taken=f"{day} 12:{place:02}:00", **named)  # type: ignore[arg-type]


def by_clock(folder: Path) -> None:
    shots(folder, "c.jpg", "a.jpg", "b.jpg")
    shots(folder, "d.jpg", "e.jpg", day="2024:07:10")


def by_offset(folder: Path) -> None:
    photo(folder / "tokyo.jpg", 1, taken="2024:03:01 21:00:10", offset="+09:00")
    photo(folder / "lisbon.jpg", 2, taken="2024:03:01 12:00:20", offset="+00:00")
    photo(folder / "zulu.jpg", 3, taken="2024:03:01 12:00:30", offset="Z")
    photo(folder / "berlin.jpg", 4, taken="2024:03:01 13:00:40")
    photo(folder / "broken.jpg", 5, taken="2024:03:01 13:00:50", offset="+99:99")
    photo(folder / "lima.jpg", 6, taken="2024:03:01 12:00:10", offset="-05:00")


def by_fraction(folder: Path) -> None:
    for name, fraction in (
        ("a.jpg", "9"),
        ("b.jpg", "1"),
        ("c.jpg", "10500000"),
        ("d.jpg", "x"),
    ):
        photo(folder / name, taken="2024:03:02 10:00:00", fraction=fraction)


NAMED = {
    "IMG_20240601_120000.jpg": "10:00:00",
    "PXL_20240601_100005123.MP.jpg": "10:00:05.123000",
    "20240601_120010.jpg": "10:00:10",
    "2024-06-01 12.00.15.png": "10:00:15",
    "Screenshot_20240601-120020_Maps.png": "10:00:20",
    "Screenshot 2024-06-01 at 12.00.25 PM.png": "10:00:25",
    "photo_2024-06-01_12-00-30.jpg": "10:00:30",
    "00000IMG_00000_BURST20240601120035001_COVER.jpg": "10:00:35.001000",
    "WhatsApp Image 2024-06-01 at 12.00.40.jpeg": "10:00:40",
    "スクリーンショット 2024-06-01 12.00.45.png": "10:00:45",
}


def by_name(folder: Path) -> None:
    for name in NAMED:
        photo(folder / name)


def by_day(folder: Path) -> None:
    for place, name in enumerate(("0131-WA0002", "0131-WA0001", "0201-WA0000")):
        photo(folder / f"IMG-2024{name}.jpg", place)
    photo(folder / "real.jpg", taken="2024:01:31 00:00:00")


def by_takeout(folder: Path) -> None:
    for place, name in enumerate(("one.jpg", "two.jpg", "three.jpg")):
        photo(folder / name, place)
        takeout(folder / f"{name}.json", seconds=1_700_000_000 + 60 * place)
    photo(folder / "four.jpg", 4)
    takeout(folder / "four.jpg.json", seconds=10**30)
    os.utime(folder / "four.jpg", (1_700_000_180,) * 2)


def by_file(folder: Path) -> None:
    for place, name in enumerate(("x.jpg", "y.png", "z 99999999.webp")):
        os.utime(photo(folder / name, place), (1_600_000_000 + place,) * 2)
    photo(folder / "unset.jpg", 7, taken="0000:00:00 00:00:00")
    os.utime(folder / "unset.jpg", (1_600_000_003,) * 2)


def formats(folder: Path) -> None:
    shots(folder, "A.JPG", "B.JPEG", "C.PNG", "D.WebP", "e.jPg")


def orientations(folder: Path) -> None:
    for turn in range(1, 9):
        photo(
            folder / f"{turn}.jpg",
            1,
            like=turn,
            taken="2024:03:03 10:00:00",
            exif={0x0112: turn},
        )


def sidecars(folder: Path) -> None:
    shots(folder, "A.JPG", "B.jpg", "C.jpg", "D.jpg", "E.jpg", "F.jpg")
    (folder / "A.XMP").write_text(packet(xmp_Rating=5))
    (folder / "b.jpg.xmp").write_text(packet(xmp_Rating=4))
    (folder / "C.xmp").write_text(packet("<xmp:Rating>3</xmp:Rating>"))
    (folder / "D.jpg.xmp").write_text(packet(xmp_Rating="1.0"))
    (folder / "E.jpg.xmp").write_text(packet(xmp_Rating=0))
    (folder / "E.xmp").write_text(packet(xmp_Rating=5))
    (folder / "F.xmp").write_text(packet(xmp_Rating=5).replace("UTF-8", "utf-8"), "utf-16")


def case(folder: Path) -> None:
    shots(folder, "a.jpg", "A.jpg", "b.jpg")
    (folder / "a.jpg.xmp").write_text(packet(xmp_Rating=5))
    (folder / "A.jpg.xmp").write_text(packet(xmp_Rating=-1))


def embedded(folder: Path) -> None:
    shots(folder, "a.jpg", "b.png", "c.webp", xmp=packet(xmp_Rating=4))
    shots(folder, "d.jpg", day="2024:01:10")


def exif_stars(folder: Path) -> None:
    for stars in range(6):
        photo(folder / f"{stars}.jpg", stars, taken="2024:03:04 10:00:00", exif={0x4746: stars})


def exif_percent(folder: Path) -> None:
    for percent in (0, 1, 25, 50, 75, 99):
        tags = {0x4746: 0, 0x4749: percent}
        photo(folder / f"{percent:02}.jpg", percent, taken="2024:03:05 10:00:00", exif=tags)


def rejected(folder: Path) -> None:
    shots(folder, "lightroom.jpg", "darktable.jpg", "digikam.jpg", "kept.jpg")
    (folder / "lightroom.xmp").write_text(packet(xmp_Rating=-1))
    (folder / "darktable.jpg.xmp").write_text(packet(xmp_Rating="-1"))
    (folder / "digikam.jpg.xmp").write_text(packet(xmp_Rating=0, digiKam_PickLabel=1))
    (folder / "kept.jpg.xmp").write_text(packet(digiKam_PickLabel=3))


def windows(folder: Path) -> None:
    shots(folder, "a.jpg", "b.jpg")
    (folder / "a.jpg.xmp").write_text(packet(MicrosoftPhoto_Rating=99))
    (folder / "b.jpg.xmp").write_text(packet(MicrosoftPhoto_Rating=1))


def apple(folder: Path) -> None:
    shots(folder, "IMG_1.jpeg", "IMG_2.jpeg", "IMG_3.jpeg")
    (folder / "IMG_1.xmp").write_text(packet(keywords("beach", "Favorite")))
    (folder / "IMG_2.xmp").write_text(packet(keywords("beach", "favorite places")))
    (folder / "IMG_3.xmp").write_text(packet(keywords("beach"), xmp_Rating=5))


def hearts(folder: Path) -> None:
    shots(folder, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    takeout(folder / "a.jpg.json", favorited=True)
    takeout(folder / "b.jpg.supplemental-metadata.json", trashed=True)
    takeout(folder / "c.jpg.suppl.json", favorited=True, trashed=True)
    takeout(folder / "d.jpg.json", favorited="true")
    takeout(folder / "metadata.json", "An album")


LONG = "00100lPORTRAIT_00100_BURST20240512105520444_COV"  # 47 letters, as Takeout cuts them
OTHER = "a-name-that-is-so-long-that-it-must-be-cut-by-takeout"


def cut_names(folder: Path) -> None:
    shots(folder, f"{LONG}.jpg", f"{OTHER[:47]}.jpg", f"{OTHER[:46]}x.jpg", "last.jpg")
    takeout(folder / f"{LONG[:46]}.json", f"{LONG}ER.jpg", favorited=True)
    takeout(folder / f"{OTHER[:46]}.json", f"{OTHER}.jpg", favorited=True)


def numbered(folder: Path) -> None:
    shots(folder, "IMG.JPG", "IMG(1).JPG", "IMG(2).JPG", "IMG(3).JPG")
    takeout(folder / "IMG.JPG.json", "IMG.JPG")
    takeout(folder / "IMG.JPG(1).json", "IMG.JPG", favorited=True)
    takeout(folder / "IMG.JPG.supplemental-metadata(2).json", "IMG.JPG", trashed=True)
    takeout(folder / "IMG(3).JPG.json", "IMG(3).JPG", favorited=True)


def edited(folder: Path) -> None:
    shots(folder, "IMG.JPG", "IMG-edited.JPG", "b.jpg")
    takeout(folder / "IMG.JPG.supplemental-metadata.json", "IMG.JPG", favorited=True)


def out_of_range(folder: Path) -> None:
    for place, stars in enumerate(("6", "-2", "nan", "many", "9" * 5000)):
        photo(folder / f"{place}.jpg", place, taken=f"2024:01:10 12:00:0{place}")
        (folder / f"{place}.xmp").write_text(packet(xmp_Rating=stars))
    photo(folder / "5.jpg", 5, taken="2024:01:10 12:00:05", exif={0x4746: 6, 0x4749: 75})
    photo(folder / "6.jpg", 6, taken="2024:01:10 12:00:06", exif={0x4746: 0, 0x4749: 101})


def disputed(folder: Path) -> None:
    shots(folder, "a.jpg", xmp=packet(xmp_Rating=5), exif={0x4746: 1})
    photo(
        folder / "b.jpg",
        2,
        taken="2024:01:10 12:01:00",
        xmp=packet(xmp_Rating=5),
        exif={0x4746: 5},
    )
    (folder / "a.jpg.xmp").write_text(packet(xmp_Rating=-1))
    (folder / "a.xmp").write_text(packet(xmp_Rating=3))
    takeout(folder / "a.jpg.json", favorited=True)
    photo(folder / "c.jpg", 3, taken="2024:01:10 12:02:00", exif={0x4746: 3})
    takeout(folder / "c.jpg.json", trashed=True)


def burst_across_midnight(folder: Path) -> None:
    times = (
        "2024:01:31 23:59:58",
        "2024:01:31 23:59:59",
        "2024:02:01 00:00:01",
        "2024:02:01 00:20:00",
    )
    for place, taken in enumerate(times):
        stars = {0x4746: 5} if place == 1 else {}
        photo(folder / f"{place}.jpg", 1, like=place, taken=taken, exif=stars)


def bursts_by_likeness(folder: Path) -> None:
    seconds_and_pictures = ((0, 1), (2, 2), (4, 1), (6, 2), (30, 1), (33, 3))
    for place, (second, seed) in enumerate(seconds_and_pictures):
        stars = {0x4746: 4} if place == 0 else {}
        photo(
            folder / f"{place}.jpg",
            seed,
            like=place,
            taken=f"2024:05:01 10:00:{second:02}",
            exif=stars,
        )


def long(folder: Path) -> None:
    """Thirty photos, a minute apart but for pauses of five before the 10th and the 22nd."""
    minute = 0
    for place in range(30):
        minute += 5 if place in (10, 22) else 1
        stars = {0x4746: 5} if place in (3, 12, 29) else {}
        taken = f"2024:05:02 10:{minute:02}:00"
        photo(folder / f"{place:02}.jpg", place, taken=taken, exif=stars)


def alone(folder: Path) -> None:
    photo(folder / "a.jpg", 1, taken="2024:05:03 10:00:00", exif={0x4746: 5})
    photo(folder / "b.jpg", 2, taken="2024:05:03 10:30:01", exif={0x4746: 5})
    photo(folder / "c.jpg", 3, taken="2024:05:03 11:00:01", exif={0x4746: 5})


def broken(folder: Path) -> None:
    shots(folder, "a.jpg", "b.jpg", "c.jpg", "d.jpg", exif={0x4746: 5})
    (folder / "a.jpg").write_text("no photo")
    (folder / "b.jpg").write_bytes(b"")
    photo(folder / "c.png", 5, taken="2024:01:10 12:09:00", exif={0x4746: 4})
    (folder / "c.png").write_bytes((folder / "c.png").read_bytes()[:-900])
    shots(folder, "e.jpg", "f.jpg")
    photo(folder / "g.jpg", taken="broken", offset="broken", fraction="broken")
    os.utime(folder / "g.jpg", (1_000_000_000,) * 2)


def films(folder: Path) -> None:
    shots(folder, "IMG_1.JPG", "IMG_2.jpg")
    for name in ("IMG_1.MOV", "img_2.mp4", "VID_3.mp4", "song.mp3"):
        (folder / name).write_bytes(b"film")
    for place, name in enumerate(("IMG_1.DNG", "img_2.CR2")):
        (folder / name).write_bytes(block([], [text(TAKEN, f"2024:01:10 12:0{place}:00")])[6:])


def of_systems(folder: Path) -> None:
    shots(folder, "a.jpg", "b.jpg")
    for name in (".c.jpg", "@eaDir/a.jpg/SYNOFILE_THUMB.jpg", ".thumbnails/a.jpg"):
        photo(folder / name)
    for name in ("#recycle/a.jpg", "__MACOSX/a.jpg", "My.photoslibrary/originals/a.jpg"):
        photo(folder / name)
    (folder / ".DS_Store").touch()
    (folder / "Thumbs.db").touch()


def links(folder: Path) -> None:
    shots(folder, "a.jpg", "b.jpg")
    (folder / "c.jpg").symlink_to(folder / "a.jpg")
    (folder / "loop").symlink_to(folder)
    (folder / "out").symlink_to(Path(os.sep))
    (folder / "a.xmp").symlink_to("/etc/passwd")
    (folder / "d.jpg").symlink_to("nowhere")


SCRIPTS = ["Gru\u0308n", "Отпуск", "休暇", "عطلة", "🏖️ día", "a\nb", "-rf *", "x'\"$(y)"]


def scripts(folder: Path) -> None:
    for place, name in enumerate(SCRIPTS):
        photo(folder / name / f"{name}.jpg", place, taken=f"2024:05:04 10:{place:02}:00")
        composed = name.replace("u\u0308", "ü")
        (folder / name / f"{composed}.jpg.xmp").write_text(packet(xmp_Rating=4))
    latin = os.fsdecode(os.fsencode(folder) + b"/caf\xe9")
    Path(latin).mkdir()
    photo(Path(latin) / "a.jpg", 50, taken="2024:05:04 10:59:00")


DEEP = "/".join("abcdefghijklmnopqrstuvwxyz")


def nested(folder: Path) -> None:
    shots(folder / "2024" / "05" / "trip" / "day 1", "a.jpg")
    photo(folder / DEEP / "b.jpg", 2, taken="2024:01:10 12:01:00", exif={0x4746: 5})
    (folder / "2024" / "empty").mkdir()


def copies(folder: Path) -> None:
    shots(folder / "Photos from 2024", "a.jpg", "b.jpg")
    shutil.copytree(folder / "Photos from 2024", folder / "Album")
    takeout(folder / "Photos from 2024" / "a.jpg.json", favorited=True)


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>"""


def hostile(folder: Path) -> None:
    shots(folder, *(f"{place}.jpg" for place in range(9)))
    contents = (BOMB, OUTSIDE, "<a>" * 100_000, "<a", "", packet(xmp_Rating=5)[:-80])
    for place, content in enumerate(contents):
        (folder / f"{place}.xmp").write_text(content)
    (folder / "6.jpg.json").write_text("[" * 100_000)
    (folder / "7.jpg.json").write_text('{"title": 3, "photoTakenTime": [], "favorited": 1}')
    with (folder / "8.xmp").open("wb") as holes:
        holes.truncate(2**25)


def orphans(folder: Path) -> None:
    shots(folder, "a.jpg", "b.jpg")
    (folder / "c.xmp").write_text(packet(xmp_Rating=5))
    takeout(folder / "c.jpg.json", favorited=True)
    (folder / "notes.txt").touch()
    (folder / "pipe.bin").mkdir()
    os.mkfifo(folder / "pipe.jpg")


def deeper_ratings(folder: Path) -> None:
    """Only what describes the photo itself counts: no rating of what it was made from."""
    shots(folder, "a.jpg", "b.jpg")
    made_of = "<rdf:Description xmp:Rating='5'/>"
    inside = f"<dc:relation><rdf:Bag><rdf:li>{made_of}</rdf:li></rdf:Bag></dc:relation>"
    (folder / "a.xmp").write_text(packet(inside))


def all_favourites(folder: Path) -> None:
    shots(folder, "a.jpg", "b.jpg", "c.jpg", exif={0x4746: 5})


def unrated(folder: Path) -> None:
    shots(folder, *(f"{place}.jpg" for place in range(20)))


EXIF, CLOCK = TimeSource.EXIF, TimeSource.EXIF_CLOCK
SIDECAR, WITHIN = RatingSource.SIDECAR, RatingSource.EMBEDDED
NO_ORDER = {Left.NO_ORDER: 1}

KINDS = {
    "a camera's clock": Kind(
        write=by_clock,
        moments=[["c.jpg", "a.jpg", "b.jpg"], ["d.jpg", "e.jpg"]],
        times={CLOCK: 5},
        utc={"c.jpg": "2024-01-10 11:00:00", "d.jpg": "2024-07-10 10:00:00"},
        skipped={Left.NO_ORDER: 2},
    ),
    "time zones": Kind(
        write=by_offset,
        moments=[
            ["tokyo.jpg", "lisbon.jpg", "zulu.jpg", "berlin.jpg", "broken.jpg"],
            ["lima.jpg"],
        ],
        times={EXIF: 4, CLOCK: 2},
        utc={"tokyo.jpg": "2024-03-01 12:00:10", "lima.jpg": "2024-03-01 17:00:10"},
        skipped={**NO_ORDER, Left.ALONE: 1},
    ),
    "fractions of a second": Kind(
        write=by_fraction,
        moments=[["d.jpg", "b.jpg", "c.jpg", "a.jpg"]],
        utc={"c.jpg": "2024-03-02 09:00:00.105000", "a.jpg": "2024-03-02 09:00:00.900000"},
        skipped=NO_ORDER,
    ),
    "names with a time": Kind(
        write=by_name,
        moments=[list(NAMED)],
        times={TimeSource.NAME: len(NAMED)},
        utc={name: f"2024-06-01 {clock}" for name, clock in NAMED.items()},
        skipped=NO_ORDER,
    ),
    "names with a day": Kind(
        write=by_day,
        moments=[
            ["IMG-20240131-WA0001.jpg", "IMG-20240131-WA0002.jpg"],
            ["IMG-20240201-WA0000.jpg"],
            ["real.jpg"],
        ],
        times={TimeSource.NAMED_DAY: 3, CLOCK: 1},
        utc={"IMG-20240131-WA0001.jpg": "2024-01-30 23:00:00"},
        skipped={Left.ALONE: 2, **NO_ORDER},
    ),
    "Takeout's time": Kind(
        write=by_takeout,
        moments=[["one.jpg", "two.jpg", "three.jpg", "four.jpg"]],
        times={TimeSource.TAKEOUT: 3, TimeSource.FILE: 1},
        utc={"one.jpg": "2023-11-14 22:13:20"},
        skipped=NO_ORDER,
    ),
    "the file's time": Kind(
        write=by_file,
        moments=[["x.jpg", "y.png", "z 99999999.webp", "unset.jpg"]],
        times={TimeSource.FILE: 4},
        utc={"x.jpg": "2020-09-13 12:26:40"},
        skipped=NO_ORDER,
    ),
    "formats": Kind(
        write=formats,
        moments=[["A.JPG", "B.JPEG", "C.PNG", "D.WebP", "e.jPg"]],
        times={CLOCK: 5},
        skipped=NO_ORDER,
    ),
    "orientations": Kind(
        write=orientations, moments=[[f"{turn}.jpg" for turn in range(1, 9)]], skipped=NO_ORDER
    ),
    "sidecars": Kind(
        write=sidecars,
        moments=[["A.JPG", "B.jpg", "C.jpg", "D.jpg", "E.jpg", "F.jpg"]],
        ratings={
            **{"A.JPG": FAVOURITE, "B.jpg": FAVOURITE, "C.jpg": KEEP, "D.jpg": KEEP},
            **{"E.jpg": FAVOURITE, "F.jpg": FAVOURITE},
        },
        by={SIDECAR: 6},
        bursts=[[0, 1, 2, 3, 4, 5]],
    ),
    "names that differ in case": Kind(
        write=case,
        moments=[["a.jpg", "A.jpg", "b.jpg"]],
        ratings={"a.jpg": FAVOURITE, "A.jpg": DELETE},
        bursts=[[0, 1, 2]],
    ),
    "XMP inside": Kind(
        write=embedded,
        moments=[["a.jpg", "d.jpg", "b.png", "c.webp"]],
        ratings=dict.fromkeys(("a.jpg", "b.png", "c.webp"), FAVOURITE),
        by={WITHIN: 3},
        bursts=[[0, 0, 1, 2]],
    ),
    "stars of EXIF": Kind(
        write=exif_stars,
        moments=[[f"{stars}.jpg" for stars in range(6)]],
        ratings={f"{stars}.jpg": FAVOURITE if stars > 3 else KEEP for stars in range(1, 6)},
        by={RatingSource.EXIF: 5},
        bursts=[[0, 1, 2, 3, 4, 5]],
    ),
    "percent of EXIF": Kind(
        write=exif_percent,
        moments=[["00.jpg", "01.jpg", "25.jpg", "50.jpg", "75.jpg", "99.jpg"]],
        ratings={
            **dict.fromkeys(("01.jpg", "25.jpg", "50.jpg"), KEEP),
            **dict.fromkeys(("75.jpg", "99.jpg"), FAVOURITE),
        },
        bursts=[[0, 1, 2, 3, 4, 5]],
    ),
    "rejected": Kind(
        write=rejected,
        moments=[["lightroom.jpg", "darktable.jpg", "digikam.jpg", "kept.jpg"]],
        ratings=dict.fromkeys(("lightroom.jpg", "darktable.jpg", "digikam.jpg"), DELETE),
        bursts=[[0, 1, 2, 3]],
    ),
    "Windows' percent in XMP": Kind(
        write=windows,
        moments=[["a.jpg", "b.jpg"]],
        ratings={"a.jpg": FAVOURITE, "b.jpg": KEEP},
        bursts=[[0, 1]],
    ),
    "Apple's keywords": Kind(
        write=apple,
        moments=[["IMG_1.jpeg", "IMG_2.jpeg", "IMG_3.jpeg"]],
        ratings={"IMG_1.jpeg": FAVOURITE, "IMG_3.jpeg": FAVOURITE},
        bursts=[[0, 1, 2]],
    ),
    "Takeout's hearts": Kind(
        write=hearts,
        moments=[["a.jpg", "b.jpg", "c.jpg", "d.jpg"]],
        ratings={"a.jpg": FAVOURITE, "b.jpg": DELETE, "c.jpg": DELETE},
        by={RatingSource.TAKEOUT: 3},
        bursts=[[0, 1, 2, 3]],
        skipped={Left.COMPANION: 1},
    ),
    "names that Takeout cut": Kind(
        write=cut_names,
        moments=[[f"{LONG}.jpg", f"{OTHER[:47]}.jpg", f"{OTHER[:46]}x.jpg", "last.jpg"]],
        ratings={f"{LONG}.jpg": FAVOURITE, f"{OTHER[:47]}.jpg": FAVOURITE},
        bursts=[[0, 1, 2, 3]],
    ),
    "numbers of Takeout": Kind(
        write=numbered,
        moments=[["IMG.JPG", "IMG(1).JPG", "IMG(2).JPG", "IMG(3).JPG"]],
        ratings={"IMG(1).JPG": FAVOURITE, "IMG(2).JPG": DELETE, "IMG(3).JPG": FAVOURITE},
        bursts=[[0, 1, 2, 3]],
    ),
    "edited copies": Kind(
        write=edited,
        moments=[["IMG.JPG", "IMG-edited.JPG", "b.jpg"]],
        ratings={"IMG.JPG": FAVOURITE, "IMG-edited.JPG": FAVOURITE},
        bursts=[[0, 1, 2]],
    ),
    "ratings out of range": Kind(
        write=out_of_range,
        moments=[[f"{place}.jpg" for place in range(7)]],
        ratings={"5.jpg": FAVOURITE},
        bursts=[[0, 1, 2, 3, 4, 5, 6]],
        skipped={Left.BAD_RATING: 7},
    ),
    "sources that disagree": Kind(
        write=disputed,
        moments=[["a.jpg", "b.jpg", "c.jpg"]],
        ratings={"a.jpg": DELETE, "b.jpg": FAVOURITE, "c.jpg": KEEP},
        by={SIDECAR: 1, WITHIN: 1, RatingSource.EXIF: 1},
        bursts=[[0, 1, 2]],
    ),
    "a burst across midnight": Kind(
        write=burst_across_midnight,
        moments=[["0.jpg", "1.jpg", "2.jpg", "3.jpg"]],
        ratings={"1.jpg": FAVOURITE},
        bursts=[[0, 0, 0, 1]],
    ),
    "bursts": Kind(
        write=bursts_by_likeness,
        moments=[[f"{place}.jpg" for place in range(6)]],
        ratings={"0.jpg": FAVOURITE},
        bursts=[[0, 1, 0, 1, 2, 3]],
    ),
    "a long moment": Kind(
        write=long,
        moments=[
            [f"{place:02}.jpg" for place in range(start, stop)]
            for start, stop in ((0, 10), (10, 22), (22, 30))
        ],
        ratings=dict.fromkeys(("03.jpg", "12.jpg", "29.jpg"), FAVOURITE),
        bursts=[[*range(10)], [*range(12)], [*range(8)]],
    ),
    "lone photos": Kind(
        write=alone,
        moments=[["a.jpg"], ["b.jpg", "c.jpg"]],
        ratings=dict.fromkeys(("a.jpg", "b.jpg", "c.jpg"), FAVOURITE),
        skipped={Left.ALONE: 1, **NO_ORDER},
    ),
    "broken files": Kind(
        write=broken,
        moments=[["g.jpg"], ["e.jpg", "f.jpg", "c.jpg", "d.jpg", "c.png"]],
        ratings=dict.fromkeys(("c.jpg", "d.jpg", "c.png"), FAVOURITE),
        bursts=[[0, 1, 2, 3]],
        skipped={Skip.NOT_A_PHOTO: 2, Skip.DAMAGED: 1, Left.ALONE: 1},
    ),
    "films and raw twins": Kind(
        write=films,
        moments=[["IMG_1.JPG", "IMG_2.jpg"]],
        skipped={
            Left.LIVE_FILM: 2,
            Left.FILM: 1,
            Skip.RAW_TWIN: 2,
            Left.OTHER_FILE: 1,
            **NO_ORDER,
        },
    ),
    "folders of systems": Kind(
        write=of_systems,
        moments=[["a.jpg", "b.jpg"]],
        skipped={Left.PACKAGE: 1, **NO_ORDER},
    ),
    "links": Kind(
        write=links, moments=[["a.jpg", "b.jpg"]], skipped={Skip.LINK: 5, **NO_ORDER}
    ),
    "names in other scripts": Kind(
        write=scripts,
        moments=[[*(f"{name}/{name}.jpg" for name in SCRIPTS)], ["caf\udce9/a.jpg"]],
        ratings={f"{name}/{name}.jpg": FAVOURITE for name in SCRIPTS},
        skipped={Left.ALONE: 1, **NO_ORDER},
    ),
    "nested folders": Kind(
        write=nested,
        moments=[
            ["2024/05/trip/day 1/a.jpg", f"{'/'.join('abcdefghijklmnopqrstuvwxyz')}/b.jpg"]
        ],
        ratings={f"{'/'.join('abcdefghijklmnopqrstuvwxyz')}/b.jpg": FAVOURITE},
        bursts=[[0, 1]],
    ),
    "copies in albums": Kind(
        write=copies,
        moments=[["Album/a.jpg", "Album/b.jpg"]],
        ratings={"Album/a.jpg": FAVOURITE},
        bursts=[[0, 1]],
        skipped={Left.COPY: 2},
    ),
    "hostile sidecars": Kind(
        write=hostile,
        moments=[[f"{place}.jpg" for place in range(9)]],
        skipped={Left.BAD_SIDECAR: 8, **NO_ORDER},
    ),
    "sidecars of nothing": Kind(
        write=orphans,
        moments=[["a.jpg", "b.jpg"]],
        skipped={Left.COMPANION: 2, Left.OTHER_FILE: 1, Skip.UNREADABLE: 1, **NO_ORDER},
    ),
    "ratings of something else": Kind(
        write=deeper_ratings, moments=[["a.jpg", "b.jpg"]], skipped=NO_ORDER
    ),
    "nothing but favourites": Kind(
        write=all_favourites,
        moments=[["a.jpg", "b.jpg", "c.jpg"]],
        ratings=dict.fromkeys(("a.jpg", "b.jpg", "c.jpg"), FAVOURITE),
        skipped=NO_ORDER,
    ),
    "nothing rated": Kind(
        write=unrated,
        moments=[
            [f"{place}.jpg" for place in range(10)],
            [f"{place}.jpg" for place in range(10, 20)],
        ],
        skipped={Left.NO_ORDER: 2},
    ),
}


def write_library(root: Path) -> Path:
    """Writes every kind into a folder of its name; returns the folder of all."""
    for name, kind in KINDS.items():
        (root / name).mkdir(parents=True)
        kind.write(root / name)
    return root
