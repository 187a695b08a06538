"""What a device's own log says, in sentences."""

import pytest

from client.consent.spoken import declined, left_out, spent
from protocol.messages import DeclineReason, LeftOut


@pytest.mark.parametrize("reason", DeclineReason)
def test_every_reason_is_a_sentence(reason):
    said = declined(reason, configuration="abc", agreed="def")
    assert said.startswith("the device declines: ")
    assert len(said) > 40
    assert said.endswith(".")


def test_a_wrong_digest_is_shown_beside_the_right_one():
    said = declined(DeclineReason.ANOTHER_CONFIGURATION, configuration="abc", agreed="def")
    assert "has the digest abc" in said
    assert said.endswith("def.")


@pytest.mark.parametrize("reason", LeftOut)
def test_a_node_that_is_left_out_reads_its_number_and_the_way_out(reason):
    said = left_out(reason, number=7)
    assert "device 7" in said
    assert said.endswith(".")


def test_after_each_visit_the_log_says_how_much_was_shown(node):
    """σ = 1, rate 1, one step: the ε of one visit is 4.38, of two 6.57."""
    text = node.config(noise="secure")
    (one,), (two,) = spent(text, 1), spent(text, 2)
    assert "visit 1 is charged: ε ≤ 4.37" in one
    assert "ε ≤ 6.57" in two
    assert "for each moment" in one
    assert "no claim" not in one
    assert "no claim" in spent(node.config(), 1)[0]


def test_a_run_that_protects_nothing_is_said_to(node):
    assert spent(node.config(mechanism="none"), 1) == (
        "visit 1 begins; protection on this device: none.",
    )
