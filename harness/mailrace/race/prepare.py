"""Takes a planned round; gives a round that only waits for its release: every actor is at its held byte."""

from dataclasses import dataclass, field

from mailrace.actors import Conversation, Link, all_prepared, is_smtp
from mailrace.model.attempt import Attempt, Loss, Stage
from mailrace.model.operation import PlannedRound, Send
from mailrace.race.client import Client, Given, ended, loss_by, said
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
    """A round before its release; `lost`: why it cannot be raced, "" if it can; `loss`: who caused that."""

    planned: PlannedRound
    links: list[Link]
    conversations: list[Conversation] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    lost: str = ""
    loss: Loss | None = None

    def give(self, given: Given) -> None:
        """Take over what was stored before the round."""
        self.ids, self.attempts = given.ids, given.attempts
        self.lost, self.loss = given.lost, given.loss


def prepare(
    planned: PlannedRound,
    links: list[Link],
    at: str,
    client: Client,
    connections: Connections,
    *,
    together: bool,
) -> Prepared:
    """Store what is given, bring every actor to where it is held, and say so if one does not get there.

    A kept connection that the server has closed meanwhile is opened again, once. `together`: a sender that is
    held at its last byte writes MAIL, RCPT and DATA at once, for servers that are known to take them so.
    """
    prepared = Prepared(planned, links)
    prepared.give(client.store_given(planned, connections.setup()))
    if prepared.lost:
        return prepared
    # Everything given is stored. All actors go towards their held bytes at the same time.
    for actor in range(len(links)):
        prepared.conversations.append(_begin(prepared, actor, at, client, together))
    reached = client.wait(links, all_prepared(links))
    for actor, (operation, conversation) in enumerate(
        zip(planned.operations, prepared.conversations, strict=True)
    ):
        if client.found_closed(operation.key, conversation, links[actor]):
            prepared.conversations[actor] = _begin(prepared, actor, at, client, together)
    reached = reached and client.wait(links, all_prepared(links))
    # An actor that is not at its held byte by now will not be raced, and without it this is another round.
    for link in links if not reached else ():
        if not link.is_prepared:
            link.give_up()
    for operation, conversation in zip(planned.operations, prepared.conversations, strict=True):
        if conversation.ending is not None and not prepared.lost:
            prepared.lost = f"{operation.key} ended before its release: {said(conversation.ending)}"
            prepared.loss = loss_by(conversation.ending.word)
    if prepared.lost:
        # Those who did get there are in the middle of a transaction, and those who were refused are in a
        # session of unknown state, so the next round must begin with new connections.
        for link in links:
            link.close()
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
    failed = client.ensure(operation.key, link)
    if failed is None:
        prepared.attempts += client.lead(operation, link, prepared.planned.index, actor)
        failed = client.ensure(operation.key, link)
    script = (
        ended(failed)
        if failed
        else client.script(operation, 1, prepared.ids, link, together=together and hold_at is Stage.REPLY)
    )
    conversation = Conversation(script, link.parser, hold_at=hold_at)
    link.begin(conversation)
    return conversation
