"""Rounds typed in by hand: a few words each, no server. Times are ms after the release."""

from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Attempt, Outcome, RoundRecord, Stage, Stored, StoredMessage, Word
from mailrace.model.operation import Message, Operation, Send, ServerOptions

from tests import built

DOMAIN = "mrk3f9x2ab.test"
RELEASE_NS = 7_000_000_000
PLAIN = ServerOptions()
IGNORING = ServerOptions(ignore_duplicate_ids=True)


def mail(mark: str, *tags: str, token: str = "r00041", message_id: str = "", **more: object) -> Message:
    """A message of the round: `s01` a sender's, `g01` given, `l01` a lead."""
    key = f"{token}{mark}"
    return Message(
        key=key,
        domain=DOMAIN,
        message_id=message_id or f"{key}.x@{DOMAIN}",
        to=(f"{token}.{mark}@{DOMAIN}",),
        x_tags=tags,
        subject=f"mailrace {token} {mark}",
        **more,
    )


def send(message: Message, **more: object) -> Send:
    """The operation of the sender whose number stands in the message's mark."""
    return Send(key=f"send.{int(message.key[-2:])}", message=message, **more)


def tried(
    operation: Send | str,
    code: int | None,
    at_ms: float,
    *,
    number: int = 1,
    actor: int | None = None,
    message: Message | None = None,
    word: Word | None = None,
    outcome: Outcome | None = None,
    released_ms: float | None = 0.0,
    text: str = "",
) -> Attempt:
    """One attempt. Without `outcome` and `word` the code says them; without any: timed out, unknown."""
    if word is None:
        word = Word.TIMED_OUT if code is None else Word.ACCEPTED if code < 400 else Word.REFUSED
    if outcome is None:
        outcome = Outcome.UNKNOWN if code is None else Outcome.OK if code < 400 else Outcome.FAIL
    is_send = isinstance(operation, Send)
    sent = message or (operation.message if is_send else None)
    return built.attempt(
        operation.key if is_send else operation,
        outcome,
        round=41,
        actor=actor if actor is not None else int(operation.key.partition(".")[2]) - 1 if is_send else 0,
        message=sent.key if sent else None,
        number=number,
        word=word,
        code=code,
        text=text,
        stage=Stage.REPLY if code else Stage.RELEASED,
        invoked_ns=RELEASE_NS - 1_000_000,
        released_ns=None if released_ms is None else RELEASE_NS + int(released_ms * 1e6),
        completed_ns=RELEASE_NS + round(at_ms * 1e6),
    )


def copy(
    message: Message, *tags: str, server_id: str = "", attempt: int = 1, **more: object
) -> StoredMessage:
    """A copy as the list shows it, by that attempt, with those tags."""
    return built.row(
        message, *tags, number=attempt, id=server_id or f"ID{message.key[-3:]}a{attempt}", **more
    )


def executed(
    operations: tuple[Operation, ...],
    attempts: tuple[Attempt, ...],
    copies: tuple[StoredMessage, ...] | None,
    *,
    tags: tuple[str, ...] = (),
    given: tuple[Message, ...] = (),
    **more: object,
) -> RoundRecord:
    """The record of round 41; `copies=None`: its store was not read."""
    return built.record(
        operations,
        index=41,
        given=given,
        ids={m.key: f"ID{m.key[-3:]}a1" for m in given},
        attempts=attempts,
        offsets_us=tuple(0.0 for _ in operations),
        skew_us=30.0,
        released_ns=RELEASE_NS,
        stored=None if copies is None else Stored(messages=copies, tags=tags),
        **more,
    )


ONE, TWO = mail("s01", "T"), mail("s02", "T")
BOTH = (send(ONE), send(TWO))
OK_1, OK_2 = tried(BOTH[0], 250, 1.5), tried(BOTH[1], 250, 2.5)
LIST = (copy(ONE, "T"), copy(TWO, "T"))


def anomaly(name: AnomalyName, proof: str, **more: object) -> Anomaly:
    about = f", message {more['message']}" if more.get("message") else ""
    return Anomaly(name=name, round=41, proof=f"{name.value}, round 41{about}: {proof}", **more)
