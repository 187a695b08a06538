"""Sizes that are left open are those of the weights; a typed one stands, or is refused."""

import pytest
from rankings import ranker, ranking

from protocol.rebuild import SettingError, to_json
from ranking.encoders import ENCODERS
from ranking.header import list_sizes
from ranking.sizes import Probes
from ranking.weights import Origin, read_origin, save_weights
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.list_sizes import Known, of_weights, with_sizes
from simulations.configuration.preflight import ready
from simulations.pretraining.context_functions import known
from simulations.pretraining.sizes_asked import sizes_asked
from simulations.pretraining.world import DRAWN, PICTURED, World

OPEN = ("own", "context", "scenes")
PROBES = Probes(kind="probes", own=5, scenes=2)


def sizes(*words):
    return compose(words).ranking.list


@pytest.fixture
def probes(tmp_path):
    """A file of weights over drawings whose list model has sizes of its own."""
    path, chosen = tmp_path / "probes.safetensors", ranking("taste", list=PROBES)
    origin = Origin(seed=None, command="darkroom pretrain", ranking=chosen, side=48)
    save_weights(ranker("taste", list=PROBES), path, origin=origin)
    return path


@pytest.mark.parametrize("weights", ["public", None, "gone.safetensors"])
@pytest.mark.parametrize("encoder", ENCODERS.values())
def test_the_kind_of_the_encoder_says_the_sizes_of_its_public_list_model(encoder, weights):
    assert of_weights(encoder, weights) == Known(
        of=str(encoder.public), sizes=list_sizes(encoder.public)
    )


def test_one_word_runs_the_public_list_model_over_photographs():
    config = compose(["ranking/encoder=real", "privacy/example=none", "privacy/device=none"])
    assert ready(config)
    assert config.ranking.list == read_origin(ENCODERS["real"].public).ranking.list
    assert f'"own": {config.ranking.list.own}' in to_json(config)


def test_a_file_of_weights_says_its_own_sizes(probes):
    assert sizes("ranking/list=probes", f"ranking.weights={probes}") == PROBES


def test_a_size_that_is_typed_stands_and_any_may_be_left_open():
    found = sizes("ranking.list.own=3", "ranking.list.width=null")
    assert (found.own, found.width, found.scenes) == (3, 64, 8)


def test_a_typed_size_that_the_weights_do_not_have_is_refused_with_both(refused):
    config = compose(["ranking/encoder=real", "ranking.list.own=10"])
    own = list_sizes(ENCODERS["real"].public)["own"]
    message = refused(ready, config)
    assert f"ranking.list.own=10 where the file has {own}; set these" in message


def test_a_size_that_the_weights_lack_is_refused_with_the_file(probes):
    with pytest.raises(SettingError) as said:
        compose([f"ranking.weights={probes}"])
    assert str(said.value) == (
        f"ranking.list.context=null is filled in from {probes}, which has no such size: give "
        "it a number, or take another ranking/list."
    )


def test_a_damaged_file_is_left_to_whoever_opens_it(tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"no weights")
    assert of_weights(ENCODERS["real"], str(path)).of == str(ENCODERS["real"].public)


def test_a_public_ranker_that_is_gone_is_one_sentence(refused, monkeypatch, tmp_path):
    monkeypatch.setattr(ENCODERS["real"], "public", tmp_path / "gone")
    message = refused(of_weights, ENCODERS["real"], None)
    assert message.startswith(f"{tmp_path / 'gone'} is missing: set ranking.weights")


@pytest.mark.parametrize(
    "plain",
    [{}, {"ranking": 3}, {"ranking": {"list": 3}}, {"ranking": {"list": {"own": 3}}}],
)
def test_what_has_no_open_size_is_left_to_the_rebuild_and_nothing_is_asked(plain):
    assert with_sizes(plain, lambda encoder, weights: pytest.fail("asked")) == plain


@pytest.mark.parametrize("weights", [3, None, True, ["a"]])
@pytest.mark.parametrize("encoder", [None, 3, {}, {"kind": 3}, {"kind": "mine"}])
def test_a_kind_or_weights_that_are_none_do_not_keep_sizes_from_being_filled_in(
    weights, encoder
):
    asked = {"ranking": {"list": {"own": None}, "encoder": encoder, "weights": weights}}
    filled = with_sizes(asked, lambda kind, file: Known(of="a test", sizes={"own": 7}))
    assert filled["ranking"]["list"] == {"own": 7}
    assert asked["ranking"]["list"] == {"own": None}


@pytest.mark.parametrize(("kind", "world"), [("drawn", DRAWN), ("real", PICTURED)])
def test_pre_training_has_the_sizes_of_the_public_photos(kind, world: World):
    found = sizes_asked([f"ranking/encoder={kind}"]).list
    own = len(world.names)
    assert (found.own, found.scenes, found.relative) == (own, world.scenes, known(own)[-1])


def test_pre_training_reads_no_file_that_it_may_be_making(monkeypatch):
    at = "simulations.configuration.list_sizes.list_sizes"
    monkeypatch.setattr(at, lambda path: pytest.fail(f"{path} is read"))
    assert sizes_asked(["ranking/list=probes"]).list.own == len(DRAWN.names)
