"""Tag names are compared as every release of Mailpit would store them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailrace.check.tags import asked_tags, clean_tag, tag_key
from mailrace.model.operation import ServerOptions

from tests.check.rounds import PLAIN, mail


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("plain", "plain"),
        ("x/y", "x y"),
        ("  a \t  b ", "a b"),
        ("a!?b", "a b"),
        ("me@home", "me home"),
        ("Grüße", "Gr e"),
        ("a_b-c.d 9", "a_b-c.d 9"),
        ("///", ""),
        ("", ""),
        ("x" * 120, "x" * 100),
        ("x" * 99 + " y", "x" * 99),
    ],
)
def test_cleaned(asked: str, stored: str) -> None:
    assert clean_tag(asked) == stored


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing(tag: str) -> None:
    assert clean_tag(clean_tag(tag)) == clean_tag(tag)


def test_case_does_not_tell_tags_apart() -> None:
    assert tag_key("Foo/Bar") == tag_key("foo bar")


def test_asked_tags_are_split_joined_and_switched_off_as_the_server_does() -> None:
    message = mail("s01", "a, B", "b", "/", plus_tags=("c+A", "d"))
    assert asked_tags(message, PLAIN) == ("a", "B", "c", "d")
    assert asked_tags(message, ServerOptions(tags_disable=("x-tags",))) == ("c", "A", "d")
    assert asked_tags(message, ServerOptions(tags_disable=("plus-addresses",))) == ("a", "B")
