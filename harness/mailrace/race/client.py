"""What a client does beside being held: one attempt at a time, resets, retries, and the given messages."""

import time
from collections.abc import Mapping
from dataclasses import replace

from mailrace.actors import (
    Conversation,
    Ending,
    Link,
    Loop,
    Script,
    all_idle,
    is_smtp,
    opening,
    render,
    reset,
    script_of,
    transaction,
)
from mailrace.model.attempt import Attempt, Outcome, Word
from mailrace.model.operation import Message, Operation, PlannedRound, Send
from mailrace.model.target import Target
from mailrace.race.retry import further_attempts
from mailrace.scenario import Plan

REPLY_S_MAX = 10.0
"""An answer that takes longer is a hang."""


def ended(ending: Ending) -> Script:
    """A script that is over before it writes anything."""
    return ending
    yield


def said(ending: Ending) -> str:
    """An ending in words, for a sentence."""
    return f"{ending.code} {ending.text}" if ending.code else f"{ending.word} {ending.text}".strip()


class Client:
    """Carries out attempts of one plan on one target; knows no round but the one it is told of."""

    def __init__(self, plan: Plan, target: Target, loop: Loop) -> None:
        self._plan = plan
        self._target = target
        self._loop = loop

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
            auth=self._target.credentials.api,
            together=together,
        )

    def whole_session(self, operation: Send) -> Script:
        """The opening and the transaction in one script, for a release at `connect`."""
        ending = yield from opening("localhost", starttls=False, auth=self._target.credentials.smtp)
        if ending.outcome is not Outcome.OK:
            return ending
        return (yield from transaction(operation.message, self.content(operation.message, 1)))

    def content(self, message: Message, number: int) -> bytes:
        """The bytes of a message's attempt."""
        return render(message, number, self._plan.contents)

    def attempt(
        self, operation: Operation, link: Link, index: int, actor: int, ids: Mapping[str, str], number: int
    ) -> Attempt:
        """One attempt with nothing held; answered, or given up on, when this returns."""
        failed = link.ensure()
        script = ended(failed) if failed else self.script(operation, number, ids, link)
        conversation = Conversation(script, link.parser, hold_at=None)
        self.carry_out(conversation, link)
        return record_of(conversation, operation, index, actor, number)

    def carry_out(self, conversation: Conversation, link: Link) -> None:
        """Drive a conversation to its end, within the limit."""
        link.begin(conversation)
        if not self._loop.run(all_idle([link]), REPLY_S_MAX):
            link.give_up()

    def lead(self, operation: Operation, link: Link, index: int, actor: int) -> tuple[Attempt, ...]:
        """Send what goes before an operation on the same connection (S11), if anything does."""
        if not isinstance(operation, Send) or operation.lead is None:
            return ()
        lead = Send(key=operation.lead.key, message=operation.lead)
        attempt = self.attempt(lead, link, index, actor, {}, 1)
        self.after(lead, link, attempt)
        return (attempt,)

    def store_given(self, planned: PlannedRound, link: Link) -> tuple[dict[str, str], list[Attempt], str]:
        """Store a round's given messages, in order: server IDs by key, attempts, and what went wrong."""
        ids: dict[str, str] = {}
        attempts: list[Attempt] = []
        for message in planned.given:
            attempt = self.attempt(Send(key=message.key, message=message), link, planned.index, -1, {}, 1)
            attempts.append(attempt)
            if attempt.outcome is not Outcome.OK:
                why = f"the given message {message.key} was not stored: {attempt.word}, {attempt.text}"
                return ids, attempts, why
            if attempt.queued_as:
                ids[message.key] = attempt.queued_as
        if len(ids) < len(planned.given):  # before 1.18.1 the reply names no ID
            stored = self._target.stored(self._plan.domain, block=planned.token)
            ids = {copy.key: copy.id for copy in stored.messages}
            missing = [m.key for m in planned.given if m.key not in ids]
            if missing:
                return ids, attempts, f"the given message {missing[0]} was accepted and is not listed"
        return ids, attempts, ""

    def after(self, operation: Operation, link: Link, attempt: Attempt) -> None:
        """What the session does after a refusal: RSET, a new connection, or nothing (MAILPIT.md, "SMTP")."""
        if not is_smtp(operation) or attempt.outcome is not Outcome.FAIL or not link.is_open:
            return
        todo = self._plan.scenario.after_failure
        if todo == "reconnect":
            link.close()
        elif todo == "reset":
            self.carry_out(Conversation(reset(), link.parser, hold_at=None), link)

    def retries(
        self, operation: Operation, link: Link, raced: Attempt, ids: Mapping[str, str]
    ) -> tuple[Attempt, ...]:
        """The further attempts of a sender, by the scenario's policy, each ended when this returns."""
        if not isinstance(operation, Send):
            return ()
        retry = self._plan.scenario.retry

        def send(number: int) -> Attempt:
            message = operation.message
            if retry.policy == "reconcile" and self._has_copy(message):
                found = Ending(Outcome.FAIL, Word.NOT_SENT, None, "the store has a copy already")
                done = Conversation(ended(found), link.parser, hold_at=None)
                done.open(time.monotonic_ns())
                return record_of(done, operation, raced.round, raced.actor, number)
            if retry.policy == "new-id":
                message = replace(message, message_id=f"again{number}.{message.message_id}")
            again = replace(operation, message=message, lead=None)
            attempt = self.attempt(again, link, raced.round, raced.actor, ids, number)
            self.after(again, link, attempt)
            return attempt

        return further_attempts(
            raced, send, policy=retry.policy, on=retry.on, attempts=retry.attempts, wait_ms=retry.wait_ms
        )

    def _has_copy(self, message: Message) -> bool:
        stored = self._target.stored(self._plan.domain, block=message.to[0].partition("@")[0])
        return any(copy.message_id == message.message_id for copy in stored.messages)


def record_of(
    conversation: Conversation, operation: Operation, index: int, actor: int, number: int
) -> Attempt:
    """The frozen record of a conversation that is over."""
    message = operation.message.key if isinstance(operation, Send) else None
    return conversation.attempt(
        round_=index, actor=actor, operation=operation.key, message=message, number=number
    )
