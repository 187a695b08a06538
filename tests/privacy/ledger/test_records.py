"""Every record has one line, and every other line is refused by its key."""

import dataclasses
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_terms import MOMENTS

from privacy.ledger.records import Charge, RecordError, Terms, Unknown, from_line, to_line

TERMS = dataclasses.replace(MOMENTS, public={"band": 4, "name": "ε", "sensitivity": 0.1})
CHARGE = Charge(round=3, attempt=1, devices=(4, 2), what="update")
UNKNOWN = Unknown(charges=1, evidence="server.torn-1", digest="ab")

counts = st.integers(min_value=0, max_value=2**70)
positive = st.floats(min_value=5e-324, max_value=1.7e308, exclude_min=False)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)
charges = st.builds(
    Charge,
    round=counts,
    attempt=counts,
    devices=st.lists(counts).map(tuple),
    what=st.sampled_from(["update", "metrics"]),
)
terms = st.builds(
    Terms,
    format=st.just(1),
    code=texts,
    unit=st.sampled_from(["device", "example"]),
    relation=texts,
    sampler=texts,
    rate=st.floats(min_value=5e-324, max_value=1),
    noise_multiplier=st.one_of(st.just(0.0), positive),
    clip=positive,
    steps=st.integers(min_value=1, max_value=10**9),
    cap=st.one_of(st.none(), st.integers(min_value=1)),
    population=st.one_of(st.none(), st.integers(min_value=1)),
    delta=st.floats(min_value=5e-324, max_value=1),
    noise=st.sampled_from(["secure", "insecure_seeded"]),
    public=st.dictionaries(
        st.text(),
        st.one_of(
            st.integers(min_value=-(10**30), max_value=10**30),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(),
        ),
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(charges, terms))
def test_every_record_comes_back_from_its_line_exactly(record):
    line = to_line(record)

    assert from_line(line, line=1) == record
    assert to_line(from_line(line, line=1)) == line


@settings(max_examples=100, deadline=None)
@given(terms)
def test_a_line_is_printable_ascii_with_sorted_keys_and_no_spaces_between_them(record):
    line = to_line(record)

    assert line.isascii()
    assert line.isprintable()
    plain = json.loads(line)
    assert line == json.dumps(plain, sort_keys=True, separators=(",", ":"))


def test_a_charge_is_one_line_worked_by_hand():
    assert to_line(CHARGE) == (
        '{"attempt":1,"devices":[4,2],"kind":"charge","round":3,"what":"update"}'
    )


@pytest.mark.parametrize("record", [TERMS, CHARGE, UNKNOWN])
def test_a_key_that_is_missing_or_unknown_is_named_with_its_line(record):
    plain = json.loads(to_line(record))
    for key in plain:
        less = {name: value for name, value in plain.items() if name != key}
        with pytest.raises(RecordError, match=f"^line 7: '{key}'"):
            from_line(json.dumps(less), line=7)
    with pytest.raises(RecordError, match=r"^line 7: 'epsilom' is unknown"):
        from_line(json.dumps({**plain, "epsilom": 1}), line=7)


WRONG = [True, [], {}, None, "x", -1, 1.5, float("nan"), float("inf"), 10**400]
ALLOWED = {"cap": [None], "population": [None], "public": [{}], "devices": [[]]}
FREE = {"code": ["x"], "relation": ["x"], "sampler": ["x"], "evidence": ["x"], "digest": ["x"]}
NUMBERS = {"clip": [1.5], "noise_multiplier": [1.5]}


@pytest.mark.parametrize("record", [TERMS, CHARGE, UNKNOWN])
def test_a_value_of_another_type_or_out_of_range_is_named_with_its_line(record):
    plain = json.loads(to_line(record))
    for key in plain:
        fits = ALLOWED.get(key, []) + FREE.get(key, []) + NUMBERS.get(key, [])
        for value in WRONG:
            if value in fits and type(value) is type(fits[0]):
                continue
            with pytest.raises(RecordError, match=f"^line 2: '{key}"):
                from_line(json.dumps({**plain, key: value}), line=2)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rate", 0),
        ("rate", 1.0000001),
        ("delta", 0.0),
        ("clip", 0.0),
        ("noise_multiplier", -0.1),
        ("noise_multiplier", math.nan),
        ("steps", 0),
        ("cap", 0),
        ("format", 2),
        ("code", "two\nlines"),
        ("sampler", "ε"),
        ("public", {"a": math.inf}),
        ("public", {"a": True}),
        ("public", {"a": None}),
        ("public", {3: 1}),
    ],
)
def test_terms_out_of_range_are_refused_where_they_are_made(key, value):
    with pytest.raises(RecordError, match=f"'{key}"):
        dataclasses.replace(TERMS, **{key: value})


@pytest.mark.parametrize("devices", [[1], (1.0,), (True,), (-1,), ("1",)])
def test_a_charge_takes_only_whole_numbers_for_devices(devices):
    with pytest.raises(RecordError, match="'devices'"):
        dataclasses.replace(CHARGE, devices=devices)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "NaN", "[" * 100_000, '"terms"'])
def test_what_is_no_record_at_all_is_refused_with_its_line(text):
    with pytest.raises(RecordError, match=r"^line 5: "):
        from_line(text, line=5)


def test_another_spelling_of_the_same_record_is_refused():
    line = to_line(CHARGE)
    for spelling in (line.replace(":", ": "), line.replace("[4", "[4 "), f" {line}"):
        with pytest.raises(RecordError, match=r"^line 3: it is not written the canonical way"):
            from_line(spelling, line=3)
