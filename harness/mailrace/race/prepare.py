"""A planned round in, a round that only waits for its release out: every actor at its held byte."""

from dataclasses import dataclass, field

from mailrace.actors import Conversation, Link, Loop, all_prepared, is_smtp
from mailrace.model.attempt import Attempt, Stage, Word
from mailrace.model.operation import PlannedRound, Send
from mailrace.race.client import REPLY_S_MAX, Client, ended, said
from mailrace.race.connections import Connections

HOLD_AT = {
    "connect": Stage.CONNECT,
    "mail": Stage.MAIL,
    "rcpt": Stage.RCPT,
    "data": Stage.DATA,
    "last-byte": Stage.REPLY,
}


@dataclass(slots=True)
class Prepared:
    """A round before its release. `lost`: why it cannot be raced, "" if it can."""

    planned: PlannedRound
    links: list[Link]
    conversations: list[Conversation] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    lost: str = ""


def prepare(
    planned: PlannedRound,
    links: list[Link],
    at: str,
    client: Client,
    connections: Connections,
    loop: Loop,
    *,
    together: bool = False,
) -> Prepared:
    """Store what is given, bring every actor to where it is held, and say so if one does not get there.

    A kept connection that the server has closed meanwhile is opened anew, once. `together`: a sender that is
    held at its last byte writes MAIL, RCPT and DATA at once, for a server known to read them all the same.
    """
    prepared = Prepared(planned, links)
    prepared.ids, prepared.attempts, prepared.lost = client.store_given(planned, connections.setup())
    if prepared.lost:
        return prepared
    for actor in range(len(links)):
        prepared.conversations.append(_begin(prepared, actor, at, client, together))
    reached = loop.run(all_prepared(links), REPLY_S_MAX)
    for actor, conversation in enumerate(prepared.conversations):
        ending = conversation.ending
        if ending is not None and ending.word is Word.LINK_LOST and not conversation.marks:
            prepared.conversations[actor] = _begin(prepared, actor, at, client, together)
    reached = reached and loop.run(all_prepared(links), REPLY_S_MAX)
    for link in links if not reached else ():
        if not link.is_prepared:
            link.give_up()
    for operation, conversation in zip(planned.operations, prepared.conversations, strict=True):
        if conversation.ending is not None and not prepared.lost:
            prepared.lost = f"{operation.key} ended before its release: {said(conversation.ending)}"
    return prepared


def _begin(prepared: Prepared, actor: int, at: str, client: Client, together: bool) -> Conversation:
    """Start an actor's conversation; the loop brings it to its held byte."""
    operation, link = prepared.planned.operations[actor], prepared.links[actor]
    hold_at = HOLD_AT[at] if is_smtp(operation) else Stage.REPLY
    if hold_at is Stage.CONNECT and isinstance(operation, Send):
        link.close()
        conversation = Conversation(client.whole_session(operation), link.parser, hold_at=None)
        link.begin_at_connect(conversation)
        return conversation
    failed = link.ensure()
    if failed is None:
        prepared.attempts += client.lead(operation, link, prepared.planned.index, actor)
        failed = link.ensure()
    script = (
        ended(failed)
        if failed
        else client.script(operation, 1, prepared.ids, link, together=together and hold_at is Stage.REPLY)
    )
    conversation = Conversation(script, link.parser, hold_at=hold_at)
    link.begin(conversation)
    return conversation
