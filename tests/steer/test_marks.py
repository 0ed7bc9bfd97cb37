"""Each actor's own spelling of a shared tag."""

from dataclasses import replace

from mailrace.model.operation import Message, PlannedRound, Read, Send, SetTags, respelt
from mailrace.steer.servers.marks import plain, with_own_spellings

DOMAIN = "mrabcdefgh.test"


def send(key: str, *x_tags: str, plus: tuple[str, ...] = ()) -> Send:
    to = "+".join((f"r0.{key}", *plus)) + "@" + DOMAIN
    message = Message(
        key=key, domain=DOMAIN, message_id=f"{key}@{DOMAIN}", to=(to,), x_tags=x_tags, plus_tags=plus
    )
    return Send(key=f"send.{key}", message=message)


def planned(*operations: object) -> PlannedRound:
    return PlannedRound(index=0, token="r0", given=(), operations=operations)  # type: ignore[arg-type]


def test_spellings_are_distinct_and_equal_without_case() -> None:
    found = [respelt("mr1-ab", number) for number in range(16)]
    assert found[0] == "mr1-ab"
    assert len(set(found)) == 16
    assert {f.lower() for f in found} == {"mr1-ab"}


def test_shared_tags_are_spelt_differently_and_own_ones_are_left() -> None:
    one, other = with_own_spellings(planned(send("a", "Shared", "own"), send("b", "shared"))).operations
    assert isinstance(one, Send)
    assert isinstance(other, Send)
    assert one.message.x_tags == ("Shared", "own")
    assert other.message.x_tags[0] != "Shared"
    assert other.message.x_tags[0].lower() == "shared"


def test_senders_that_vary_the_case_themselves_are_told_apart_too() -> None:
    sends = (send(str(n), respelt("mr1-abcd", n)) for n in range(8))
    found = [o.message.x_tags for o in with_own_spellings(planned(*sends)).operations if isinstance(o, Send)]
    assert len(set(found)) == 8


def test_plus_addresses_are_spelt_with_their_tags() -> None:
    _, other = with_own_spellings(planned(send("a", plus=("tag",)), send("b", plus=("tag",)))).operations
    assert isinstance(other, Send)
    assert other.message.plus_tags == ("Tag",)
    assert other.message.to == (f"r0.b+Tag@{DOMAIN}",)


def test_tag_sets_are_spelt_too_and_the_rest_is_left() -> None:
    sets = [SetTags(key=f"set_tags.{n}", messages=("g",), tags=("x",)) for n in (1, 2)]
    read = Read(key="read.1", path="/api/v1/tags", times=4)
    before = planned(*sets, read)
    after = with_own_spellings(before)
    assert [o.tags for o in after.operations if isinstance(o, SetTags)] == [("x",), ("X",)]
    assert after.operations[2] is read
    assert plain(after).operations[2] == replace(read, times=1)
