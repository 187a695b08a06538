"""Small made copies of public sets in their true layouts: drawn photos, invented rows."""

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 24


def write_photo(path: Path, shade: int) -> Path:
    """A JPEG of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((SIDE, SIDE, 3), shade, np.uint8)).save(path, format="JPEG")
    return path


def photo_triage(root: Path, *, series: int = 12, photos: int = 3) -> Path:
    """Series from 1 on; every third is of the validation list. Photo k of a series has rank k.

    The shades fall with the rank: 200, 180, 160 ….
    """
    lists = {"train_pairlist.txt": [], "val_pairlist.txt": []}
    for number in range(1, series + 1):
        name = "val_pairlist.txt" if number % 3 == 0 else "train_pairlist.txt"
        for photo in range(1, photos + 1):
            path = root / "train_val_imgs" / f"{number:06}-{photo:02}.JPG"
            write_photo(path, 220 - 20 * photo)
        for first in range(1, photos + 1):
            for second in range(first + 1, photos + 1):
                lists[name].append(f"{number} {first} {second} 0.75 {first} {second}")
    for name, rows in lists.items():
        (root / name).write_text("\n".join(rows) + "\n")
    return root


PARA_HEAD = (
    "sessionId,imageName,userId,aestheticScore,qualityScore,compositionScore,colorScore,"
    "dofScore,contentScore,lightScore,isObjectEmphasis,emotion,difficulty,contentPreference,"
    "willingnessToShare,semantic"
)


def para_row(session: str, image: str, subject: str, score: str, share: str = "3") -> str:
    return f"{session},{image},{subject},{score},3,3,3,3,3,3,0,content,easy,4,{share},scene"


def para(root: Path, *, subjects: int = 5, photos: int = 12) -> Path:
    """Subjects who all rated all photos of two sessions, photo k with 1 + (k + s) % 9 / 2."""
    names = [(f"session{1 + k % 2}", f"iaa_pub{k}_.jpg") for k in range(photos)]
    for k, (session, image) in enumerate(names):
        write_photo(root / "imgs" / session / image, 10 * k)
    rows = [
        para_row(*name, f"A{subject}", f"{1 + (k + subject) % 9 / 2:.1f}")
        for subject in range(subjects)
        for k, name in enumerate(names)
    ]
    (root / "annotation").mkdir()
    (root / "annotation" / "PARA-Images.csv").write_text("\n".join((PARA_HEAD, *rows)) + "\n")
    return root


def flickr_aes(root: Path, *, workers: int = 5, photos: int = 12) -> Path:
    """Workers who all rated all photos, photo k with 1 + (k + w) % 5; blanks as published."""
    names = [f"farm{k}_{1000 + k}_b.jpg" for k in range(photos)]
    for k, name in enumerate(names):
        write_photo(root / "40K" / name, 10 * k)
    rows = [
        f"A{worker}, {name},{1 + (k + worker) % 5}"
        for worker in range(workers)
        for k, name in enumerate(names)
    ]
    table = root / "FLICKR-AES_image_labeled_by_each_worker.csv"
    table.write_text("\n".join(("worker, imagePair, score", *rows)) + "\n")
    return root
