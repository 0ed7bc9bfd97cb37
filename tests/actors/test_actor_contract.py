"""What every actor does, whatever it sends: it prepares, holds, is released and completes, on a real socket.

Nothing happens at the server before the release, all of it after;
one that is cut off while held leaves nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from mailrace.actors import (
    Conversation,
    Link,
    Loop,
    all_idle,
    all_prepared,
    relayed_of,
    release_together,
    script_of,
)
from mailrace.model.attempt import Attempt, Outcome, Relayed, Stage, Stored, Word
from mailrace.model.operation import (
    Delete,
    DeleteAll,
    DeleteSearch,
    DeleteTag,
    Message,
    Operation,
    Pop3Delete,
    Pop3Retrieve,
    Read,
    ReadMessage,
    Release,
    RenameTag,
    Send,
    ServerOptions,
    SetRead,
    SetTags,
    ViewLatest,
    protocol_of,
)
from mailrace.model.target import Target
from mailrace.targets import open_target

DOMAIN = "mrcontract.test"
LIMIT_S = 10.0


def mail(key: str, *tags: str) -> Message:
    return Message(key=key, domain=DOMAIN, message_id=f"{key}@{DOMAIN}", to=(f"to@{DOMAIN}",), x_tags=tags)


GIVEN = mail("r1g01", "Old")
OPERATIONS: dict[str, Operation] = {
    "send": Send(key="send.1", message=mail("r1s01", "Fresh")),
    "send by REST": Send(key="send.1", message=mail("r1s01", "Fresh"), via="rest"),
    "delete": Delete(key="delete.1", messages=("r1g01",)),
    "delete by search": DeleteSearch(key="delete.1", query=f"to:@{DOMAIN}"),
    "delete all": DeleteAll(key="delete.1"),
    "set tags": SetTags(key="retag.1", messages=("r1g01",), tags=("New",)),
    "rename a tag": RenameTag(key="rename.1", tag="Old", to="New"),
    "delete a tag": DeleteTag(key="untag.1", tag="Old"),
    "read": Read(key="read.1", path="/api/v1/tags", times=3),
    "read a message": ReadMessage(key="read.1", message="r1g01"),
    "set read": SetRead(key="mark.1", read=True, messages=("r1g01",)),
    "set read by search": SetRead(key="mark.1", read=True, query=f"to:@{DOMAIN}"),
    "set all read": SetRead(key="mark.1", read=True),
    "view the latest": ViewLatest(key="view.1"),
    "read the latest": ViewLatest(key="view.1", via="api", query=f"to:@{DOMAIN}"),
    "set unread": SetRead(key="mark.1", read=False),
    "retrieve by POP3": Pop3Retrieve(key="pop.1", message="r1g01"),
    "delete by POP3": Pop3Delete(key="pop.1", messages=("r1g01",)),
    "release": Release(key="release.1", message="r1g01"),
}
READ = "(read)"
EFFECTS = {
    "send": ({"r1g01": ("Old",), "r1s01": ("Fresh",)}, {"Old", "Fresh"}),
    "send by REST": ({"r1g01": ("Old",), "r1s01": ("Fresh",)}, {"Old", "Fresh"}),
    "delete": ({}, set()),
    "delete by search": ({}, set()),
    "delete all": ({}, set()),
    "set tags": ({"r1g01": ("New",)}, {"New"}),
    "rename a tag": ({"r1g01": ("New",)}, {"New"}),
    "delete a tag": ({"r1g01": ()}, set()),
    "read": ({"r1g01": ("Old",)}, {"Old"}),
    "read a message": ({"r1g01": ("Old", READ)}, {"Old"}),
    "set read": ({"r1g01": ("Old", READ)}, {"Old"}),
    "set read by search": ({"r1g01": ("Old", READ)}, {"Old"}),
    "set all read": ({"r1g01": ("Old", READ)}, {"Old"}),
    "view the latest": ({"r1g01": ("Old",)}, {"Old"}),
    "read the latest": ({"r1g01": ("Old", READ)}, {"Old"}),
    "set unread": ({"r1g01": ("Old",)}, {"Old"}),
    "retrieve by POP3": ({"r1g01": ("Old",)}, {"Old"}),
    "delete by POP3": ({}, set()),
    "release": ({"r1g01": ("Old",)}, {"Old"}),
}
NOTHING = ({"r1g01": ("Old",)}, {"Old"})


def shown(stored: Stored) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """Tags by message, with `READ` where it is read, and the tags as listed."""
    rows = {copy.key: (*copy.tags, READ) if copy.read else copy.tags for copy in stored.messages}
    return rows, set(stored.tags)


@dataclass
class Theatre:
    """A started server with one given message, and what carries actors to it."""

    target: Target
    loop: Loop
    made: ExitStack

    def link(self, operation: Operation) -> Link:
        protocol = protocol_of(operation)
        host, port, _ = self.target.addresses.of(protocol)
        link = Link(self.loop, host, port, protocol=protocol)
        self.made.callback(link.close)
        return link

    def begin(self, operation: Operation, *, hold_at: Stage | None) -> Link:
        """The operation on a link of its own, brought to its held byte, or begun where nothing is held."""
        link = self.link(operation)
        assert link.connect() is None
        ids = {copy.key: copy.id for copy in self.target.stored(DOMAIN).messages}
        auth = self.target.credentials.of(protocol_of(operation))
        script = script_of(operation, 1, ids, {}, link.parser, api=self.target.addresses.api, auth=auth)
        link.begin(Conversation(script, link.parser, hold_at=hold_at))
        return link

    def ended(self, link: Link) -> Attempt:
        assert self.loop.run(all_idle([link]), LIMIT_S)
        assert link.conversation is not None
        return link.conversation.attempt(round_=0, actor=0, operation="x", message=None, number=1)

    def reset(self) -> None:
        """Back to the one given message."""
        self.target.empty()
        self.target.relayed()
        assert self.ended(self.begin(Send(key="g", message=GIVEN), hold_at=None)).outcome is Outcome.OK
        assert shown(self.target.stored(DOMAIN)) == NOTHING


@pytest.fixture(
    scope="module", params=["embedded@fixed", pytest.param("mailpit@1.30.5", marks=pytest.mark.mailpit)]
)
def stage(request: pytest.FixtureRequest, real_mailpit: Callable[[str], str]) -> Iterator[Theatre]:
    if request.param.startswith("mailpit"):
        real_mailpit(request.param.partition("@")[2])
    with ExitStack() as made:
        target = open_target(request.param, ServerOptions(pop3=True, relay=True))
        made.callback(target.stop)
        target.start()
        loop = Loop()
        made.callback(loop.close)
        yield Theatre(target, loop, made)


@pytest.mark.parametrize("what", OPERATIONS)
def test_an_actor_is_prepared_held_released_and_completes(stage: Theatre, what: str) -> None:
    stage.reset()
    link = stage.begin(OPERATIONS[what], hold_at=Stage.REPLY)
    assert stage.loop.run(all_prepared([link]), LIMIT_S)
    assert link.is_prepared
    assert not link.is_idle
    assert shown(stage.target.stored(DOMAIN)) == NOTHING, "it did something before its release"
    assert stage.target.relayed() == ()
    start_ns, skew_us = release_together([link], [0.0])
    found = stage.ended(link)
    assert (found.outcome, found.word) == (Outcome.OK, Word.ACCEPTED), found.text
    assert found.released_ns is not None
    assert found.invoked_ns < start_ns <= found.released_ns < found.completed_ns
    assert skew_us == 0.0, "one actor has no spread"
    stages = [mark for mark, _ in found.marks]
    assert stages.index(Stage.HELD) < stages.index(Stage.RELEASED) < stages.index(Stage.REPLY)
    assert [t for _, t in found.marks] == sorted(t for _, t in found.marks)
    assert shown(stage.target.stored(DOMAIN)) == EFFECTS[what]
    copies = relayed_of(stage.target.relayed(), {GIVEN.key: GIVEN}, {})
    assert copies == ((Relayed(key=GIVEN.key),) if what == "release" else ())
    is_session = protocol_of(OPERATIONS[what]) == "pop3"
    assert link.is_open is not is_session, "its connection serves the next round, but POP3 lists at a login"


@pytest.mark.parametrize("what", OPERATIONS)
def test_a_held_actor_that_is_given_up_on_leaves_nothing(stage: Theatre, what: str) -> None:
    stage.reset()
    link = stage.begin(OPERATIONS[what], hold_at=Stage.REPLY)
    assert stage.loop.run(all_prepared([link]), LIMIT_S)
    link.give_up()
    found = stage.ended(link)
    assert (found.outcome, found.word, found.released_ns) == (Outcome.FAIL, Word.TIMED_OUT, None)
    assert not link.is_open
    assert shown(stage.target.stored(DOMAIN)) == NOTHING
    assert stage.target.relayed() == ()


@pytest.mark.parametrize("what", OPERATIONS)
def test_an_actor_that_nobody_holds_completes_by_itself(stage: Theatre, what: str) -> None:
    stage.reset()
    assert stage.ended(stage.begin(OPERATIONS[what], hold_at=None)).outcome is Outcome.OK
    assert shown(stage.target.stored(DOMAIN)) == EFFECTS[what]


def test_actors_are_released_in_the_order_of_their_offsets(stage: Theatre) -> None:
    stage.reset()
    sends = [Send(key=f"send.{i}", message=mail(f"r1s0{i}")) for i in range(3)]
    links = [stage.begin(send, hold_at=Stage.REPLY) for send in sends]
    assert stage.loop.run(all_prepared(links), LIMIT_S)
    start_ns, skew_us = release_together(links, [500.0, -100.0, 0.0])
    released = [stage.ended(link).released_ns or 0 for link in links]
    assert released[1] < released[2] < released[0]
    late_us = [(at - start_ns) / 1000 - offset for at, offset in zip(released, (500, -100, 0), strict=True)]
    assert min(late_us) >= 0, "nobody goes before its instant"
    assert skew_us == pytest.approx(max(late_us) - min(late_us), abs=1.0)
