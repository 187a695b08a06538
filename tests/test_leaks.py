"""Nothing of a photo leaves its device: markers are planted, and looked for everywhere."""

import contextlib
import io
import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import client.training.cohort_engine
from client.embeddings.examples import embed, examples
from client.embeddings.readings import read
from client.engine import Trained
from photos.registry import open_source
from ranking.initial import initial_ranker
from simulations.configuration.hydra_bridge import compose
from simulations.federation import flower_internals
from simulations.simulate import simulate

SIDE = 32
FEEDBACK = (2, 0, 1, 1, 0, 2, 2, 1, 0, 1, 2, 0)
WORD = b"qX7vJ2mKpL9wRt4zBn6c"


def encodings(values):
    """The ways in which a vector of numbers might have slipped out."""
    import base64

    yield "float32", np.asarray(values, "<f4").tobytes()
    yield "float64", np.asarray(values, "<f8").tobytes()
    integers = np.asarray(values)
    if integers.dtype == np.uint8:
        yield "uint8", integers.tobytes()
        yield "scaled", (integers.astype("<f4") / np.float32(255)).tobytes()
        yield "scaled float64", (integers.astype("<f8") / 255).tobytes()
        raw = integers.tobytes()
    else:
        raw = np.asarray(values, "<f4").tobytes()
    yield "hex", raw.hex().encode()
    for shift in range(3):
        text = base64.b64encode(raw[shift : shift + 3 * ((len(raw) - shift) // 3)])
        yield f"base64+{shift}", text


class Marked:
    """A folder library with markers in it, and what to look for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        generator = np.random.default_rng(5)
        self.pixels = generator.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        for device in range(5):
            for moment in range(6):
                folder = root / f"{WORD.decode()}-{device}" / f"{WORD.decode()}-{moment}"
                folder.mkdir(parents=True)
                for photo in range(len(FEEDBACK) if moment == 0 else 3):
                    self._write(folder / f"{WORD.decode()}-{photo:02}.png", generator)
            self._feedback(root / f"{WORD.decode()}-{device}")

    def _write(self, path, generator):
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Comment", WORD.decode())
        noise = generator.integers(0, 256, self.pixels.shape, np.uint8)
        image = self.pixels if path.name.endswith("-00.png") else noise
        Image.fromarray(image).save(path, pnginfo=notes)

    def _feedback(self, device):
        rows = ["photo,burst,feedback"]
        words = ("delete", "keep", "favourite")
        for photo in sorted(device.rglob("*.png")):
            word = words[FEEDBACK[int(photo.stem[-2:])]]
            rows.append(f"{photo.relative_to(device)},{WORD.decode()},{word}")
        (device / "feedback.csv").write_text("\n".join(rows))

    def needles(self, embedding, features):
        """Every marker in every encoding, by name. Vectors are cut to tell-tale stretches."""
        found = {"name": WORD, "name reversed": WORD[::-1]}
        for name, data in encodings(np.frombuffer(WORD, np.uint8)):
            found[f"name {name}"] = data
        for name, data in encodings(np.array(FEEDBACK, np.uint8)):
            found[f"feedback {name}"] = data
        for name, data in encodings(2.0 ** np.array(FEEDBACK) - 1):
            found[f"gains {name}"] = data
        for name, data in encodings(self.pixels[SIDE // 2, :8].reshape(-1)):
            found[f"pixels {name}"] = data
        planes = self.pixels[SIDE // 2, :16, 0]
        for name, data in encodings(planes):
            found[f"pixel row {name}"] = data
        for name, data in encodings(embedding[:6]):
            found[f"embedding {name}"] = data
        for name, data in encodings(features[:6]):
            found[f"features {name}"] = data
        return found


@pytest.fixture
def marked(tmp_path):
    return Marked(tmp_path / "photos")


def everything_said(marked, tmp_path, monkeypatch, trained):
    """Runs a private simulation and returns all that left a device or was written."""
    wire = []
    passage = flower_internals.over_the_wire

    def tapped(message):
        from flwr.common.serde import message_to_proto

        wire.append(message_to_proto(message).SerializeToString())
        return passage(message)

    monkeypatch.setattr(flower_internals, "over_the_wire", tapped)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    level = logging.getLogger().level
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            simulate(configuration(marked, tmp_path, trained))
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    runs = tmp_path / "runs"
    written = {
        str(path.relative_to(runs)): path.read_bytes()
        for path in runs.rglob("*")
        if path.is_file()
    }
    assert wire
    assert len(written) >= 4
    return {"log": log.getvalue().encode(), **written} | {
        f"message {number}": data for number, data in enumerate(wire)
    }


def configuration(marked, tmp_path, trained="head"):
    return compose(
        [
            "experiment=real-photos",
            f"photos.root={marked.root}",
            f"photos.side={SIDE}",
            "photos.held_out_devices=1",
            "photos.held_out_share=0.5",
            f"ranking={trained}",
            "ranking.weights=null",
            "server.cohort=3",
            "server.rounds=2",
            "simulation.reference=false",
            "simulation.strict=true",
            f"simulation.runs={tmp_path / 'runs'}",
        ]
    )


def embedding_of(marked, tmp_path):
    config = configuration(marked, tmp_path)
    ranker = initial_ranker(config.ranking, seed=config.seed)
    return embed(ranker.encoder, marked.pixels[None]).numpy()[0]


def features_of(marked, tmp_path):
    """What the list model reads of the marked photo, in its moment on the first device."""
    config = configuration(marked, tmp_path, "taste")
    ranker = initial_ranker(config.ranking, seed=config.seed)
    library = open_source(config.photos, seed=config.seed).library(0)
    (moment,) = (one for one in library.moments if len(one.photos) == len(FEEDBACK))
    (place,) = (moment.photos == marked.pixels).all((1, 2, 3)).nonzero()[0]
    kept = examples([moment], encoder=ranker.encoder)
    return read(ranker.list_ranker, kept).inputs[0, place].numpy()


def leaks(marked, tmp_path, monkeypatch, trained="head"):
    needles = marked.needles(embedding_of(marked, tmp_path), features_of(marked, tmp_path))
    said = everything_said(marked, tmp_path, monkeypatch, trained)
    return [
        (place, needle)
        for place, content in said.items()
        for needle, data in needles.items()
        if data in content
    ]


@pytest.mark.parametrize("trained", ["taste", "head"])
def test_no_marker_appears_in_any_message_log_checkpoint_or_report(
    marked, tmp_path, monkeypatch, trained
):
    assert leaks(marked, tmp_path, monkeypatch, trained) == []


@pytest.mark.parametrize(
    ("trained", "secret"), [("taste", features_of), ("head", embedding_of)]
)
def test_a_client_that_sends_what_it_keeps_of_a_photo_is_found(
    marked, tmp_path, monkeypatch, trained, secret
):
    kept = secret(marked, tmp_path)[:33]
    honest = client.training.cohort_engine.CohortEngine.train

    def leaky(self, parameters, visits, *, terms):
        for one in honest(self, parameters, visits, terms=terms):
            delta = one.delta.copy()
            delta[: len(kept)] = kept[: len(delta)]
            yield Trained(delta=delta, non_finite=one.non_finite)

    monkeypatch.setattr(client.training.cohort_engine.CohortEngine, "train", leaky)
    found = leaks(marked, tmp_path, monkeypatch, trained)
    assert any(place.startswith("message") for place, _ in found)
