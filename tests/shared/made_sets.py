"""Small made copies of public sets in their true layouts: drawn photos, invented rows."""

import io
import json
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
        write_photo(root / "imgs" / session / image, 10 * k % 250)
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
        write_photo(root / "40K" / name, 10 * k % 250)
    rows = [
        f"A{worker}, {name},{1 + (k + worker) % 5}"
        for worker in range(workers)
        for k, name in enumerate(names)
    ]
    table = root / "FLICKR-AES_image_labeled_by_each_worker.csv"
    table.write_text("\n".join(("worker, imagePair, score", *rows)) + "\n")
    return root


FLAIR_LABELS = ("animal", "food", "plant", "structure")


def flair_entries(users: int = 5, photos: int = 6) -> list[dict]:
    """Entries of users, of whom the last is of ``val`` and the last but one of ``test``."""
    parts = ["train"] * (users - 2) + ["test", "val"]
    return [
        {
            "user_id": f"{user}@N00",
            "image_id": str(100 * user + k),
            "labels": sorted({FLAIR_LABELS[k % 4], FLAIR_LABELS[(k + user) % 4]}),
            "fine_grained_labels": ["leaf"],
            "partition": parts[user],
        }
        for user in range(users)
        for k in range(photos)
    ]


def flair_shade(entry: dict) -> int:
    """The grey of an entry's photo."""
    return int(entry["image_id"]) % 250


def flair_raw(root: Path, entries: list[dict]) -> Path:
    for entry in entries:
        path = root / "small_images" / f"{entry['image_id']}.jpg"
        write_photo(path, flair_shade(entry))
    (root / "labels_and_metadata.json").write_text(json.dumps(entries))
    return root


def _by_user(entries: list[dict]) -> dict[tuple[str, str], list[dict]]:
    found: dict[tuple[str, str], list[dict]] = {}
    for entry in entries:
        found.setdefault((entry["partition"], entry["user_id"]), []).append(entry)
    return found


def _images(entries: list[dict]) -> np.ndarray:
    return np.stack(
        [np.full((SIDE, SIDE, 3), flair_shade(entry), np.uint8) for entry in entries]
    )


def flair_hdf5(root: Path, entries: list[dict]) -> Path:
    """As ml-flair writes it: labels joined by bars."""
    import h5py

    with h5py.File(root / "flair_federated.hdf5", "w") as file:
        for (part, user), own in _by_user(entries).items():
            group = file.create_group(f"{part}/{user}")
            group["images"] = _images(own)
            group["image_ids"] = np.array([one["image_id"] for one in own], "S")
            for name in ("labels", "fine_grained_labels"):
                group[name] = np.array(["|".join(one[name]) for one in own], "S")
        file["metadata/label_counter"] = json.dumps(dict.fromkeys(FLAIR_LABELS, 1))
    return root


def flair_pfl(root: Path, entries: list[dict]) -> Path:
    """As pfl-research writes it: rows and columns of labels, numbers for image ids."""
    import h5py

    columns = {label: place for place, label in enumerate(FLAIR_LABELS)}
    with h5py.File(root / "flair_federated.h5", "w") as file:
        for (part, user), own in _by_user(entries).items():
            group = file.create_group(f"{part}/{user}")
            group["images"] = _images(own)
            group["image_ids"] = np.array([int(one["image_id"]) for one in own])
            cells = [
                (k, columns[one]) for k, entry in enumerate(own) for one in entry["labels"]
            ]
            rows, places = zip(*cells, strict=True)
            group["labels_row"] = np.array(rows, np.uint16)
            group["labels_col"] = np.array(places, np.uint8)
        file["metadata/label_mapping"] = json.dumps(columns)
    return root


def flair_parquet(root: Path, entries: list[dict]) -> Path:
    """As Hugging Face has it: one file for each part, images inside, in small row groups."""
    import pyarrow
    from pyarrow import parquet

    (root / "data").mkdir(parents=True)
    for part in ("train", "val", "test"):
        own = [one for one in entries if one["partition"] == part]
        images = []
        for entry in own:
            kept = io.BytesIO()
            Image.fromarray(_images([entry])[0]).save(kept, format="JPEG")
            images.append({"bytes": kept.getvalue(), "path": "/etc/passwd"})
        columns = {
            name: [one[name] for one in own] for name in entries[0] if name != "image_id"
        }
        ids = [int(one["image_id"]) for one in own]
        table = pyarrow.table({**columns, "image_id": ids, "image": images})
        file = root / "data" / f"{part}-00000-of-00001.parquet"
        parquet.write_table(table, file, row_group_size=4)
    return root
