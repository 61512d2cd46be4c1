"""Bodies from strangers: what is read, what is refused, and that neither takes long or much."""

from typing import Any

import pytest

from api.errors import TooComplexError, UnreadableBodyError
from api.json_text import MAXIMUM_DEPTH, _members, parse_object
from api.yaml_text import parse_mapping, parse_yaml
from northbound.errors import InvalidError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("a", "a"),
        ("[a, 1, 1.5, true, null, 'x y']", ["a", 1, 1.5, True, None, "x y"]),
        ("a: {b: [c]}\nd:\n", {"a": {"b": ["c"]}, "d": None}),
        ("- &x {a: 1}\n- *x\n- {<<: *x, b: 2}", [{"a": 1}, {"a": 1}, {"a": 1, "b": 2}]),
        ("a: &x 7\nb: *x", {"a": 7, "b": 7}),
        ('"<<": 1', {"<<": 1}),
        ("!!str 5", "5"),
        ("|\n a\n b\n", "a\nb\n"),
    ],
)
def test_yaml(text: str, value: Any) -> None:
    assert parse_yaml(text) == value


def test_of_merged_mappings_the_first_counts_and_after_what_is_said_itself() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2}\nz: {<<: [*y, *x], c: 3, a: 4}"
    assert parse_mapping(text)["z"] == {"b": 2, "a": 4, "c": 3}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("labels: " + "[" * 100_000, "nested too deeply"),
        ("labels: " + "{a: " * 100_000, "nested too deeply"),
        ("\n".join(" " * i + "a:" for i in range(1000)), "nested too deeply"),
        ("- " * 1000, "nested too deeply"),
        ("a: &a [*a]", "no value before it has the anchor 'a'"),
        ("a: *b", "no value before it has the anchor 'b'"),
        ("a: &a 1\nb: &a [*a]", "no value before it has the anchor 'a'"),
        ("a: 1\na: 2", "the key 'a' is given twice, line 2, column 1"),
        ("1: a\n0x1: b", "the key '1' is given twice"),
        ("[a]: b", "a list or mapping is no key"),
        ("<<: a", "<< takes a mapping"),
        ("a\n---\nb", "expected a single document"),
        ("a: [", "line 2, column 1"),
        ("!!python/object:os.system {}", "is not known"),
        ("!!set {a, b}", "is not known"),
        ("!!binary aGVsbG8=", "is not known"),
        ("!!int a", "'a' is no int"),
        ("!!int ''", "'' is no int"),
        ("!!bool a", "'a' is no bool"),
        ("!!timestamp a", "'a' is no timestamp"),
        ("2001-99-99", "is no timestamp"),
        ("9" * 5000, "too long for a number"),
        ("9" * 20, "64 bits"),
        ("1:" * 20 + "1", "64 bits"),
        ("1:" * 100_000 + "1", "too long for a number"),
        (".inf", "no number that is taken"),
        ('"a\\0"', "has NUL in it"),
        ('"\\ud800"', "not YAML"),
        ("a\x00", "not YAML"),
    ],
)
def test_yaml_that_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableBodyError, match=reason.replace("[", r"\[")):
        parse_yaml(text)


def test_aliases_count_as_what_they_stand_for() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(TooComplexError, match="more than 1000000 values"):
        parse_mapping("\n".join(lines))
    chain = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, MAXIMUM_DEPTH + 9)]
    with pytest.raises(UnreadableBodyError, match="nested too deeply"):
        parse_mapping("\n".join(chain))
    long = "a: &a " + "x" * 6400 + "\nb: [" + ", ".join(["*a"] * 1000) + "]"
    with pytest.raises(TooComplexError):
        parse_mapping(long, 100_000)


@pytest.mark.parametrize("text", ["", "# nothing", "null", "---", "[]", "a"])
def test_a_document_is_a_mapping(text: str) -> None:
    with pytest.raises(InvalidError, match="a document is a mapping"):
        parse_mapping(text)


@pytest.mark.parametrize("parse", [parse_object, parse_mapping])
def test_depth_is_bounded_and_no_less_than_said(parse: Any) -> None:
    most = MAXIMUM_DEPTH - 1
    assert parse('{"a": ' + "[" * most + "]" * most + "}")
    with pytest.raises(UnreadableBodyError, match="nested too deeply"):
        parse('{"a": ' + "[" * (most + 1) + "]" * (most + 1) + "}")


@pytest.mark.parametrize("parse", [parse_object, parse_mapping])
def test_the_number_of_values_is_bounded(parse: Any) -> None:
    assert len(parse('{"a": [' + "1," * 90 + "1]}", 100)["a"]) == 91
    for body in ('{"a": [' + "1," * 100 + "1]}", '{"a": [' + "[]," * 100 + "[]]}"):
        with pytest.raises(TooComplexError, match="more than 100 values"):
            parse(body, 100)
    assert parse('{"a": "' + "[," * 100 + '\\",,"}', 50)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ('{"a":' + "[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "64 bits"),
        ('{"a": 9223372036854775808}', "64 bits"),
        ('{"a": 1e400}', "too large"),
        ('{"a": -Infinity}', "no number"),
        ('{"a": 1, "a": 2}', "'a' is given twice"),
        ('{"' + "a" * 1000 + '": 1, "' + "a" * 1000 + '": 1}', "…"),
    ],
)
def test_json_that_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableBodyError, match=reason) as refused:
        parse_object(text)
    assert len(str(refused.value)) < 200


def test_json_numbers_that_fit() -> None:
    assert parse_object('{"a": [-9223372036854775808, 9223372036854775807, 1e300]}') == {
        "a": [-(2**63), 2**63 - 1, 1e300]
    }


def test_texts_that_nothing_can_keep_are_pointed_at() -> None:
    body = '{"a": ["x", {"b": "\\ud800"}], "c": {"\\u0000": 1}, "d": "\\ud83d\\ude00"}'
    with pytest.raises(InvalidError) as refused:
        parse_object(body)
    assert {problem.pointer for problem in refused.value.problems} == {"/a/1/b", "/c"}


def test_repeated_members_are_found_in_one_pass() -> None:
    """Twice as many members take twice the look-ups, not four times."""
    looked_up = 0

    class Name(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal looked_up
            looked_up += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    pairs = [(Name(i), i) for i in range(1000)] + [(Name(999), 0)]
    with pytest.raises(UnreadableBodyError, match="'999' is given twice"):
        _members(pairs)
    assert looked_up < 10_000
