"""What a round can do without, one thing at a time."""

from dataclasses import replace

from mailrace.model.operation import Delete, Message, PlannedRound, Send, SetTags
from mailrace.steer.one_instance.shrink import BODY_BYTES, is_shrinkable, pairs, smaller

DOMAIN = "mrabcdefgh.test"


def message(key: str, *x_tags: str, body_bytes: int = 120) -> Message:
    return Message(
        key=key,
        domain=DOMAIN,
        message_id=f"{key}@{DOMAIN}",
        to=(f"r0.{key}@{DOMAIN}",),
        x_tags=x_tags,
        body_bytes=body_bytes,
    )


def send(key: str, *x_tags: str, body_bytes: int = 120) -> Send:
    return Send(key=f"send.{key}", message=message(key, *x_tags, body_bytes=body_bytes))


def planned(*operations: object, given: tuple[Message, ...] = ()) -> PlannedRound:
    return PlannedRound(index=0, token="r0", given=given, operations=operations)  # type: ignore[arg-type]


def test_a_pair_with_one_tag_and_short_mail_is_as_small_as_it_gets() -> None:
    assert not is_shrinkable(planned(send("a", "t"), send("b", "T")))
    assert list(pairs(planned(send("a"), send("b")))) == []


def test_actors_go_one_at_a_time_down_to_two() -> None:
    it = planned(send("a", "t"), send("b", "T"), send("c", "t"))
    assert [tuple(o.key for o in p.operations) for p in smaller(it)] == [
        ("send.a", "send.b"),
        ("send.a", "send.c"),
        ("send.b", "send.c"),
    ]


def test_pairs_of_each_two_kinds_come_first_with_one_tag() -> None:
    cleaner = Delete(key="delete.1", messages=("g",))
    by_rest = replace(send("s03", "t"), via="rest")
    it = planned(send("s01", "t", "u"), send("s02", "T", "U"), cleaner, by_rest, given=(message("g"),))
    found = list(pairs(it))
    assert [tuple(o.key for o in p.operations) for p in found] == [
        ("send.s01", "send.s02"),
        ("send.s01", "delete.1"),
        ("send.s01", "send.s03"),
        ("delete.1", "send.s03"),
    ]
    first = found[0].operations[0]
    assert isinstance(first, Send)
    assert first.message.x_tags == ("t",)


def test_tags_go_in_every_spelling_and_none_is_left_without() -> None:
    it = planned(send("a", "t", "u"), SetTags(key="set_tags.1", messages=("g",), tags=("T", "U")))
    without_t, without_u = smaller(it)
    assert [o.message.x_tags if isinstance(o, Send) else o.tags for o in without_t.operations] == [
        ("u",),
        ("U",),
    ]
    assert [o.message.x_tags if isinstance(o, Send) else o.tags for o in without_u.operations] == [
        ("t",),
        ("T",),
    ]


def test_a_given_message_that_nobody_names_and_a_long_body() -> None:
    cleaner = Delete(key="delete.1", messages=("g",))
    it = planned(send("a", body_bytes=2_000), cleaner, given=(message("g"), message("h")))
    fewer, shorter = smaller(it)
    assert [m.key for m in fewer.given] == ["g"]
    sender = it.operations[0]
    assert isinstance(sender, Send)
    assert shorter.operations[0] == replace(sender, message=replace(sender.message, body_bytes=BODY_BYTES))
