import pytest

from client.recent import Recent


def test_a_value_is_made_once():
    made = []
    recent = Recent(10, weigh=len)
    for _ in range(2):
        assert recent.get("a", lambda: made.append("a") or "value") == "value"
    assert made == ["a"]


def test_what_was_not_asked_for_longest_is_forgotten_first():
    recent = Recent(6, weigh=len)
    recent.get("a", lambda: "aaa")
    recent.get("b", lambda: "bbb")
    recent.get("a", lambda: "other")
    recent.get("c", lambda: "ccc")
    assert recent.get("a", lambda: "new") == "aaa"
    assert recent.get("b", lambda: "new") == "new"


def test_the_last_value_stays_however_heavy():
    recent = Recent(2, weigh=len)
    assert recent.get("a", lambda: "heavy") == "heavy"
    assert recent.get("a", lambda: "new") == "heavy"


def test_what_its_borrower_failed_with_is_not_lent_again():
    recent = Recent(9, weigh=len)
    with recent.lent("a", lambda: "sound") as value:
        assert value == "sound"
    with pytest.raises(KeyError), recent.lent("a", lambda: "new") as value:
        {}[value]
    assert recent.get("a", lambda: "new") == "new"
