import pytest

from client.embeddings.lru_cache import LruCache


def test_a_value_is_made_once():
    made = []
    recent = LruCache(weigh=len)
    for _ in range(2):
        assert recent.get("a", lambda: made.append("a") or "value", limit=10) == "value"
    assert made == ["a"]


def test_what_was_not_asked_for_longest_is_forgotten_first():
    recent = LruCache(weigh=len)
    recent.get("a", lambda: "aaa", limit=6)
    recent.get("b", lambda: "bbb", limit=6)
    recent.get("a", lambda: "other", limit=6)
    recent.get("c", lambda: "ccc", limit=6)
    assert recent.get("a", lambda: "new", limit=6) == "aaa"
    assert recent.get("b", lambda: "new", limit=6) == "new"


def test_the_last_value_stays_however_heavy():
    recent = LruCache(weigh=len)
    assert recent.get("a", lambda: "heavy", limit=2) == "heavy"
    assert recent.get("a", lambda: "new", limit=2) == "heavy"


def test_what_its_borrower_failed_with_is_not_lent_again():
    recent = LruCache(weigh=len)
    with recent.lent("a", lambda: "sound", limit=9) as value:
        assert value == "sound"
    with pytest.raises(KeyError), recent.lent("a", lambda: "new", limit=9) as value:
        {}[value]
    assert recent.get("a", lambda: "new", limit=9) == "new"


def test_a_value_that_is_put_takes_the_place_of_the_former_one():
    recent = LruCache(weigh=len)
    recent.put("a", "aaa", limit=6)
    recent.put("b", "bbb", limit=6)
    recent.put("a", "AA", limit=6)
    assert recent.get("a", lambda: "new", limit=6) == "AA"
    assert recent.get("b", lambda: "new", limit=6) == "bbb"
    recent.put("c", "cccc", limit=6)
    assert recent.get("a", lambda: "new", limit=9) == "new"
