"""Rounds, copies and a witness of issue 283, typed in, for reports to be made of."""

from dataclasses import replace

from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import (
    Attempt,
    LogLine,
    Outcome,
    RoundRecord,
    Stage,
    Stored,
    StoredMessage,
)
from mailrace.model.operation import Message, PlannedRound, Send
from mailrace.model.result import Witness

from tests import built

T0 = 5_000_000_000_000
"""The common instant of round 0, monotonic ns."""
DOMAIN = "mrk3f9x2ab.test"
REFUSAL = "451 4.3.5 Unable to process mail"
QUEUED = "250 2.0.0 Ok: queued"
LOG_ERROR = (
    'time="2026/11/23 14:00:41" level=error msg="[db] error storing message: '
    'UNIQUE constraint failed: tags.Name"'
)


def message(key: str, *, tags: tuple[str, ...], subject: str = "") -> Message:
    """A planned mail to the run's domain."""
    return Message(
        key=key,
        domain=DOMAIN,
        message_id=f"{key}@{DOMAIN}",
        to=(f"all@{DOMAIN}",),
        x_tags=tags,
        subject=subject or f"mailrace {key}",
    )


def copy(planned: Message, *, copy_id: str, attempt: int, tags: tuple[str, ...]) -> StoredMessage:
    """A stored copy of it, sent by that attempt."""
    return built.row(planned, *tags, number=attempt, id=copy_id, size=512)


def sent(
    round_index: int,
    actor: int,
    planned: Message,
    *,
    number: int = 1,
    begin_us: int = -3200,
    release_us: int = 0,
    reply_us: int = 2113,
    code: int = 250,
    text: str = QUEUED,
) -> Attempt:
    """An attempt of a mail with all its marks; times in µs after the round's common instant."""
    at = T0 + round_index * 40_000_000

    def ns(us: int) -> int:
        return at + us * 1000

    step = (release_us - begin_us) // 8
    marks = (
        *([(Stage.CONNECT, ns(begin_us)), (Stage.GREETING, ns(begin_us + step))] if number == 1 else ()),
        (Stage.MAIL, ns(begin_us + 2 * step)),
        (Stage.RCPT, ns(begin_us + 3 * step)),
        (Stage.DATA, ns(begin_us + 4 * step)),
        (Stage.HELD, ns(begin_us + 5 * step)),
        (Stage.RELEASED, ns(release_us)),
        (Stage.REPLY, ns(reply_us)),
    )
    return built.attempt(
        f"send{actor + 1}",
        Outcome.OK if code < 400 else Outcome.FAIL,
        round=round_index,
        actor=actor,
        message=planned.key,
        number=number,
        code=code,
        text=text,
        marks=marks,
        invoked_ns=ns(begin_us),
        released_ns=ns(release_us),
        completed_ns=ns(reply_us),
    )


def clean_round(index: int) -> RoundRecord:
    """Two senders, one new tag, both told 250, one copy each."""
    tag = f"mrk3f9x2ab-r{index:05d}"
    mails = [message(f"r{index:05d}s{i + 1:02d}", tags=(tag,)) for i in range(2)]
    at = T0 + index * 40_000_000
    return RoundRecord(
        index=index,
        plan=PlannedRound(
            index=index,
            token=f"r{index:05d}",
            given=(),
            operations=tuple(Send(key=f"send{i + 1}", message=m) for i, m in enumerate(mails)),
        ),
        ids={},
        attempts=(
            sent(index, 0, mails[0], reply_us=1804),
            sent(index, 1, mails[1], release_us=61, reply_us=2390),
        ),
        offsets_us=(0.0, 40.0),
        skew_us=21.0,
        decoys=index % 2 * 2,
        released_ns=at,
        stored=Stored(
            messages=tuple(
                copy(m, copy_id=f"ok{index:05d}x{i}", attempt=1, tags=(tag,)) for i, m in enumerate(mails)
            ),
            tags=(tag,),
        ),
        log=(
            LogLine(t_ns=at + 1_700_000, text='time="2026/11/23 14:00:40" level=info msg="[smtpd] stored"'),
        ),
        verified_ns=at + 30_000_000,
    )


def raced_round(index: int) -> RoundRecord:
    """Issue 283: sender 2 is told 451, its copy is stored without the tag, and its retry doubles the mail."""
    record = clean_round(index)
    first, second = (o.message for o in record.plan.operations if isinstance(o, Send))
    tag = first.x_tags[0]
    at = record.released_ns
    return replace(
        record,
        attempts=(
            sent(index, 0, first, reply_us=1804),
            sent(index, 1, second, release_us=61, reply_us=2113, code=451, text=REFUSAL),
            sent(index, 1, second, number=2, begin_us=7300, release_us=8200, reply_us=9870),
        ),
        stored=Stored(
            messages=(
                copy(second, copy_id=f"8g6Z{index:05d}b", attempt=2, tags=(tag,)),
                copy(second, copy_id=f"8g6Z{index:05d}a", attempt=1, tags=()),
                copy(first, copy_id=f"7f2Q{index:05d}", attempt=1, tags=(tag,)),
            ),
            tags=(tag,),
        ),
        log=(LogLine(t_ns=at + 2_098_000, text=LOG_ERROR),),
    )


def rejected(record: RoundRecord) -> Anomaly:
    """The finding of a raced round."""
    second = record.attempts[1]
    return Anomaly(
        name=AnomalyName.REJECTED_BUT_STORED,
        round=record.index,
        message=second.message,
        attempts=(1, 2),
        copies=(f"8g6Z{record.index:05d}a", f"8g6Z{record.index:05d}b"),
        proof=(
            f"rejected_but_stored, round {record.index}, message {second.message}: sender 2 was told 451 at "
            "2.113 ms, which promises that nothing was stored (RFC 5321 4.2.1); the store holds one copy, ID "
            f"8g6Z{record.index:05d}a; its retry was told 250 at 9.870 ms, so the client's one mail is there "
            "twice."
        ),
    )


def witness(record: RoundRecord) -> Witness:
    """A raced round as a witness."""
    return Witness(
        anomaly=rejected(record),
        record=record,
        replay=f"mailrace replay reports/latest/run.json --round {record.index} --target mailpit@1.17.0",
        explained=(
            (
                "UNIQUE constraint failed: tags.Name",
                "two senders looked for the same new tag, neither found it, and the second to insert it lost",
            ),
        ),
    )
