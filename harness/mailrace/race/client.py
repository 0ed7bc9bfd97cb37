"""What a client does beside being held: one attempt at a time, resets, retries, and the given messages."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailrace.actors import (
    Conversation,
    Ending,
    Link,
    Loop,
    Script,
    all_idle,
    all_prepared,
    is_smtp,
    opening,
    render,
    reset,
    script_of,
    transaction,
)
from mailrace.model.attempt import Attempt, Loss, Outcome, Stage, Word
from mailrace.model.errors import InternalError, TargetError
from mailrace.model.operation import Message, Operation, PlannedRound, Send, protocol_of
from mailrace.model.own_trouble import own_trouble
from mailrace.model.target import Target
from mailrace.race.limits import Limits
from mailrace.race.patience import Patience, Waited
from mailrace.race.retry import further_attempts, resent
from mailrace.scenario import Plan


@dataclass(frozen=True, slots=True)
class Given:
    """What was stored before a round: server IDs by key, the attempts, and why any is missing."""

    ids: dict[str, str]
    attempts: list[Attempt]
    lost: str = ""
    loss: Loss | None = None


def loss_by(word: Word) -> Loss:
    """Who is to blame where an attempt with that ending kept its round from being raced."""
    return Loss.DROPPED if word is Word.OWN_TROUBLE else Loss.REFUSED


def ended(ending: Ending) -> Script:
    """A script that is over before it writes anything."""
    return ending
    yield


def said(ending: Ending) -> str:
    """An ending in words, for a sentence."""
    return f"{ending.code} {ending.text}" if ending.code else f"{ending.word} {ending.text}".strip()


class Client:
    """Carries out attempts of one plan on one target; it knows only the round that it is told of.

    waits     how waits ended in which replies did not come, and why
    noticed   what the server did beside the attempts: a session that it ended between two of them, a reset
              that it refused. Whoever runs the round takes both lists and clears them
    """

    def __init__(self, plan: Plan, target: Target, loop: Loop, limits: Limits) -> None:
        self._plan = plan
        self._target = target
        self._loop = loop
        self.patience = Patience(target, limits)
        self.waits: list[Waited] = []
        self.noticed: list[str] = []

    def script(
        self,
        operation: Operation,
        number: int,
        ids: Mapping[str, str],
        link: Link,
        *,
        together: bool = False,
    ) -> Script:
        """Attempt `number` of an operation as a script for that link."""
        return script_of(
            operation,
            number,
            ids,
            self._plan.contents,
            link.parser,
            api=self._target.addresses.api,
            auth=self._target.credentials.of(protocol_of(operation)),
            together=together,
        )

    def whole_session(self, operation: Send) -> Script:
        """The opening and the transaction in one script, for a release at `connect`."""
        ending = yield from opening(starttls=False, auth=self._target.credentials.smtp)
        if ending.outcome is not Outcome.OK:
            return ending
        content = render(operation.message, 1, self._plan.contents)
        return (yield from transaction(operation.message, content))

    def attempt(
        self, operation: Operation, link: Link, index: int, actor: int, ids: Mapping[str, str], number: int
    ) -> Attempt:
        """One attempt with nothing held; answered, or given up on, when this returns.

        A kept connection that the server has closed meanwhile is opened again, once.
        """
        for _ in range(2):
            was_open = link.is_open
            failed = self.ensure(operation.key, link)
            script = ended(failed) if failed else self.script(operation, number, ids, link)
            conversation = Conversation(script, link.parser, hold_at=None)
            self.carry_out(conversation, link)
            if not (was_open and self.found_closed(operation.key, conversation, link)):
                break
        return record_of(conversation, operation, index, actor, number)

    def hold(self, operation: Operation, link: Link, ids: Mapping[str, str]) -> None:
        """Bring a first attempt to its last byte, with nothing beside it; `let_go` does the rest."""
        failed = self.ensure(operation.key, link)
        script = ended(failed) if failed else self.script(operation, 1, ids, link)
        link.begin(Conversation(script, link.parser, hold_at=Stage.REPLY))
        if not self.wait([link], all_prepared([link])):
            link.give_up()

    def let_go(self, link: Link) -> Conversation:
        """Write the byte that `hold` kept; the conversation, answered or given up on."""
        conversation = link.conversation
        if conversation is None:
            raise InternalError("nothing is held on this connection")
        conversation.released(link.release())
        if not self.wait([link], all_idle([link])):
            link.give_up()
        return conversation

    def ensure(self, who: str, link: Link) -> Ending | None:
        """Connect unless there is a connection; how that failed, or None. What came unasked is noticed."""
        # Bytes that came since the last answer would be taken for the next one.
        link.receive()
        if link.was_dropped and link.is_smtp:
            self.noticed.append(f"the server ended the kept session of {who} without a word")
        if link.was_unasked and link.is_smtp:
            self.noticed.append(f"the server sent {who} a reply that nobody had asked for")
        return link.ensure()

    def found_closed(self, who: str, conversation: Conversation, link: Link) -> bool:
        """Whether the first command met a connection that had been closed already; that is noticed, too."""
        ending = conversation.ending
        if ending is None or ending.word is not Word.LINK_LOST or conversation.marks:
            return False
        if conversation.released_ns is not None:  # it may have been carried out: never sent twice
            return False
        if link.is_smtp:
            self.noticed.append(f"the server ended the kept session of {who} without a word")
        return True

    def carry_out(self, conversation: Conversation, link: Link) -> None:
        """Drive a conversation to its end, within the limit."""
        link.begin(conversation)
        if not self.wait([link], all_idle([link])):
            link.give_up()

    def wait(self, links: Sequence[Link], done: Callable[[], bool]) -> bool:
        """Run the loop until `done()`, while the server's state gives reason to; whether it came true."""
        waited = self.patience.wait(self._loop, links, done)
        if not waited.is_done:
            self.waits.append(waited)
        return waited.is_done

    def lead(self, operation: Operation, link: Link, index: int, actor: int) -> tuple[Attempt, ...]:
        """Send what goes before an operation on the same connection (S11), if anything does."""
        if not isinstance(operation, Send) or operation.lead is None:
            return ()
        lead = Send(key=operation.lead.key, message=operation.lead)
        attempt = self.attempt(lead, link, index, actor, {}, 1)
        self.after(lead, link, attempt)
        return (attempt,)

    def store_given(self, planned: PlannedRound, link: Link) -> Given:
        """Store a round's given messages, in order."""
        ids: dict[str, str] = {}
        attempts: list[Attempt] = []
        for message in planned.given:
            attempt = self.attempt(Send(key=message.key, message=message), link, planned.index, -1, {}, 1)
            attempts.append(attempt)
            if attempt.outcome is not Outcome.OK:
                link.close()  # the next round must not begin in the middle of a transaction
                why = f"the given message {message.key} was not stored: {attempt.word}, {attempt.text}"
                return Given(ids, attempts, why, loss_by(attempt.word))
            if attempt.queued_as:
                ids[message.key] = attempt.queued_as
        if len(ids) == len(planned.given):
            return Given(ids, attempts)
        # Before 1.18.1 the reply names no ID, so the store is asked.
        try:
            stored = self._target.stored(self._plan.domain, block=planned.token)
        except TargetError as wrong:
            loss = Loss.DROPPED if own_trouble(wrong) else Loss.REFUSED
            return Given(ids, attempts, f"the given messages' IDs could not be read: {wrong}", loss)
        ids = {copy.key: copy.id for copy in stored.messages}
        missing = next((m.key for m in planned.given if m.key not in ids), "")
        why = f"the given message {missing} was accepted and is not listed" if missing else ""
        return Given(ids, attempts, why, Loss.REFUSED if missing else None)

    def after(self, operation: Operation, link: Link, attempt: Attempt) -> None:
        """What the session does after a refusal: RSET, a new connection, or nothing."""
        if not is_smtp(operation) or attempt.outcome is not Outcome.FAIL or not link.is_open:
            return
        todo = self._plan.scenario.after_failure
        if todo == "reconnect":
            link.close()
        elif todo == "reset":
            conversation = Conversation(reset(), link.parser, hold_at=None)
            self.carry_out(conversation, link)
            ending = conversation.ending
            if ending is None or ending.outcome is not Outcome.OK:
                # A session that refuses RSET (RFC 5321 4.1.1.5 allows it only 250) is of no use any more.
                self.noticed.append(f"RSET was not accepted: {said(ending) if ending else 'no answer'}")
                link.close()

    def retries(
        self, operation: Operation, link: Link, raced: Attempt, ids: Mapping[str, str]
    ) -> tuple[Attempt, ...]:
        """The further attempts of a sender, by the scenario's policy, each ended when this returns."""
        if not isinstance(operation, Send):
            return ()
        retry = self._plan.scenario.retry

        def send(number: int) -> Attempt:
            message = operation.message
            held = self._held_already(message) if retry.policy == "reconcile" else ""
            if held:
                found = Ending(Outcome.FAIL, Word.NOT_SENT, None, held)
                done = Conversation(ended(found), link.parser, hold_at=None)
                done.open(time.monotonic_ns())
                return record_of(done, operation, raced.round, raced.actor, number)
            again = replace(operation, message=resent(message, number, retry.policy), lead=None)
            attempt = self.attempt(again, link, raced.round, raced.actor, ids, number)
            self.after(again, link, attempt)
            return attempt

        return further_attempts(
            raced, send, policy=retry.policy, on=retry.on, attempts=retry.attempts, wait_ms=retry.wait_ms
        )

    def _held_already(self, message: Message) -> str:
        """Why a client that looks before it sends again does not send; "" where it does."""
        try:
            stored = self._target.stored(self._plan.domain, block=message.to[0].partition("@")[0])
        except TargetError as wrong:
            self.noticed.append(f"the store could not be searched before a retry: {wrong}")
            return "the store could not be searched"
        found = any(copy.message_id == message.message_id for copy in stored.messages)
        return "the store has a copy already" if found else ""


def record_of(
    conversation: Conversation, operation: Operation, index: int, actor: int, number: int
) -> Attempt:
    """The frozen record of a conversation that is over."""
    message = operation.message.key if isinstance(operation, Send) else None
    return conversation.attempt(
        round_=index, actor=actor, operation=operation.key, message=message, number=number
    )
