import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from simulations.studies.study_plot import Axes, draw

pytest.importorskip("matplotlib")


def arm(after, **axes):
    gain = {"mean": after - 0.4, "low": after - 0.41, "high": after - 0.38}
    return {"axes": axes, "before": 0.4, "after": after, "gain": gain}


@pytest.fixture
def study(tmp_path):
    def written(*arms):
        (tmp_path / "private").mkdir(exist_ok=True)
        (tmp_path / "private" / "study.json").write_text(json.dumps({"arms": arms}))
        return tmp_path

    return written


AXES = Axes(x="epsilon", lines="trained", panels=None)


def test_a_picture_has_every_line_value_and_no_date(study, tmp_path):
    folder = study(
        arm(0.5, epsilon="2", trained="taste"),
        arm(0.6, epsilon="8", trained="taste"),
        arm(0.7, epsilon="none", trained="taste"),
        arm(0.45, epsilon="2", trained="linear"),
        {**arm(0.1), "axes": {}},
    )
    out = tmp_path / "picture.svg"
    draw(folder, AXES, out=out)
    text = out.read_text()
    assert ET.fromstring(text).tag.endswith("svg")
    assert all(f"<!-- {word} -->" in text for word in ("taste", "linear", "epsilon", "none"))
    assert "<dc:date>" not in text


def test_the_same_study_gives_the_same_bytes(study, tmp_path):
    folder = study(arm(0.5, epsilon="2", trained="taste"))
    for name in ("a.svg", "b.svg"):
        draw(folder, AXES, out=tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_an_axis_that_is_none_is_refused_with_those_there_are(study, tmp_path):
    folder = study(arm(0.5, epsilon="2", trained="taste"))
    with pytest.raises(ValueError, match=r"'eps' is no axis.*its axes: epsilon, trained\."):
        draw(folder, Axes(x="eps", lines="trained", panels=None), out=tmp_path / "x.svg")


def test_two_arms_on_one_point_are_refused_with_the_axis_that_parts_them(study, tmp_path):
    folder = study(
        arm(0.5, epsilon="2", trained="taste", unit="example"),
        arm(0.6, epsilon="2", trained="taste", unit="device"),
    )
    with pytest.raises(ValueError, match="they differ in unit; give that as --panels"):
        draw(folder, AXES, out=tmp_path / "x.svg")
    draw(folder, Axes(x="epsilon", lines="trained", panels="unit"), out=tmp_path / "x.svg")
    assert (tmp_path / "x.svg").is_file()


def test_of_arms_that_differ_in_another_axis_one_value_can_be_drawn(study, tmp_path):
    folder = study(
        arm(0.5, devices="120", trained="taste", epsilon="2"),
        arm(0.6, devices="120", trained="taste", epsilon="8"),
    )
    plain = Axes(x="devices", lines="trained", panels=None)
    with pytest.raises(ValueError, match="they differ in epsilon"):
        draw(folder, plain, out=tmp_path / "x.svg")
    draw(folder, replace(plain, only=("epsilon", "2")), out=tmp_path / "x.svg")
    assert (tmp_path / "x.svg").is_file()
    with pytest.raises(ValueError, match=r"^no arm of .* has --only epsilon=3\.$"):
        draw(folder, replace(plain, only=("epsilon", "3")), out=tmp_path / "y.svg")
    with pytest.raises(ValueError, match="'unit' is no axis"):
        draw(folder, replace(plain, only=("unit", "device")), out=tmp_path / "y.svg")


def test_a_folder_that_is_no_study_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="is no table of a study"):
        draw(tmp_path / "nowhere", AXES, out=tmp_path / "x.svg")


def test_the_command_draws_and_says_where(darkroom, study, tmp_path):
    folder = study(arm(0.5, epsilon="2", trained="taste", unit="example"))
    words = (
        *("--x", "epsilon", "--lines", "trained", "--panels", "unit"),
        *("--only", "trained=taste", "--out", "seen.svg"),
    )
    assert darkroom("plot", str(folder), *words) == (0, "seen.svg\n", "")
    assert ET.parse(tmp_path / "seen.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--lines", "trained", "--out", "seen.svg"), "Missing option '--x'"),
        (("--x", "eps", "--lines", "trained", "--out", "seen.svg"), "'eps' is no axis"),
        (("--x", "epsilon", "--lins", "trained"), "'--lins' is not an option"),
    ],
)
def test_a_mistake_at_the_command_is_one_sentence(darkroom, study, tmp_path, words, sentence):
    folder = study(arm(0.5, epsilon="2", trained="taste"))
    status, out, err = darkroom("plot", str(folder), *words)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert sentence in err
    assert not (tmp_path / "seen.svg").exists()
