"""Typed-in run results, native and steered, as the engines would give them."""

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
from mailrace.model.operation import Delete, Message, PlannedRound, Send
from mailrace.model.result import (
    Block,
    ControlResult,
    Interval,
    RunResult,
    ScenarioResult,
    Schedules,
    ScheduleWitness,
    Spread,
    Step,
    Verdict,
    Witness,
)
from mailrace.model.target import TargetInfo, VersionSource

from tests import built

DOMAIN = "mrk3f9x2ab.test"
T0 = 5_000_000_000_000
"""The common instant of round 0, monotonic ns."""
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


def native(*, hits: int = 36, rounds: int = 100, seed: int = 7) -> RunResult:
    """A native run of shared-new-tag on a real 1.17.0: every hit is a witness, four clean rounds a sample."""
    hit_rounds = tuple(raced_round(i) for i in range(0, hits * 2, 2)) if hits else ()
    witnesses = tuple(witness(r) for r in hit_rounds)
    verdict = Verdict.RACE if hits else Verdict.PASS
    scenario = ScenarioResult(
        name="shared-new-tag",
        title="Parallel senders share a tag that does not exist yet",
        file="scenarios/shared-new-tag.race.yaml",
        mode="race",
        verdict=verdict,
        reason=(
            f"{hits} of {rounds} rounds refused a mail and stored it all the same"
            if hits
            else f"no hit in {rounds} rounds, in which the control fired in 61 of 100 pairs"
        ),
        rounds=rounds,
        hits=hits,
        interval=Interval(low=0.266, high=0.462, confidence=0.95)
        if hits
        else Interval(low=0.0, high=0.036, confidence=0.95),
        anomalies={"rejected_but_stored": hits} if hits else {},
        witnesses=witnesses,
        sample=tuple(clean_round(i) for i in (1, 3, 5, 7)),
        not_looked=("2 of 100 rounds had a skew above 1 ms and do not count",),
        control=ControlResult(
            target="embedded@1.17.0",
            scenario="shared-new-tag",
            kind=3,
            why="mailpit@1.16.2 cannot be had here: no binary and no archive",
            pairs=rounds,
            pairs_fired=61,
            hits=61,
            confidence=0.99,
            bound=0.0784,
        ),
        profile="rate",
        release_at="last-byte",
        skew_us=Spread(p50=18.0, p95=74.0),
        rounds_per_s=38.2,
        seconds={"race": 2.61, "verify": 0.09},
        replies={QUEUED: 2 * rounds - hits + hits, REFUSAL: hits} if hits else {QUEUED: 2 * rounds},
        expected=(2 * rounds, 2 * rounds),
        found=2 * rounds + hits,
        blocks=tuple(
            Block(first_round=i * 10, rounds=10, hits=h if hits else 0, control_hits=c)
            for i, (h, c) in enumerate(
                zip((1, 2, 6, 5, 7, 4, 3, 3, 2, 3), (5, 7, 6, 8, 7, 6, 5, 6, 6, 5), strict=True)
            )
        ),
    )
    return RunResult(
        mailrace="0.1.0",
        schema_version=1,
        verdict=verdict,
        target=TargetInfo(
            name="mailpit@1.17.0",
            version="1.17.0",
            version_source=VersionSource.FILE_NAME,
            storage="sqlite",
            settings={"GOMAXPROCS": "4", "--max": "0"},
            limits=(),
        ),
        seed=seed,
        run="mrk3f9x2ab",
        command=(
            "mailrace run scenarios/shared-new-tag.race.yaml --target mailpit@1.17.0 "
            f"--rounds {rounds} --seed {seed}"
        ),
        started="2026-11-23T14:00:39Z",
        environment={
            "cpu_count": "2",
            "load": "0.4",
            "os": "Linux 6.1 x86_64",
            "python": "3.11.7",
            "user": "jane",
            "folder": "/home/jane/mail work",
            "host": "jane-laptop",
        },
        scenarios=(scenario,),
    )


def steered() -> RunResult:
    """A steered run of a deletion against a tagged send on a real 1.30.5: the pruner takes the tag (S2)."""
    tag = "mrk3f9x2ab-r00000"
    given = message("r00000g01", tags=(tag,), subject="the last holder of the tag")
    mail = message("r00000s01", tags=(tag,), subject="sent meanwhile")
    send = sent(0, 1, mail, reply_us=4210, code=451, text=REFUSAL)
    gone = built.attempt(
        "delete1",
        code=200,
        text="ok",
        marks=(
            (Stage.CONNECT, T0 - 900_000),
            (Stage.HELD, T0 - 400_000),
            (Stage.RELEASED, T0),
            (Stage.REPLY, T0 + 3_300_000),
        ),
        invoked_ns=T0 - 900_000,
        released_ns=T0,
        completed_ns=T0 + 3_300_000,
    )
    record = RoundRecord(
        index=0,
        plan=PlannedRound(
            index=0,
            token="r00000",
            given=(given,),
            operations=(Delete(key="delete1", messages=(given.key,)), Send(key="send1", message=mail)),
        ),
        ids={given.key: "given00000"},
        attempts=(gone, send),
        offsets_us=(0.0, 0.0),
        skew_us=0.0,
        decoys=0,
        released_ns=T0,
        stored=Stored(messages=(copy(mail, copy_id="9hX200000", attempt=1, tags=()),), tags=()),
        log=(
            LogLine(
                t_ns=T0 + 4_100_000,
                text='level=error msg="[db] error storing message: sql: no rows in result set"',
            ),
        ),
    )
    steps = (
        ("send1", "SELECT ID FROM mailbox WHERE MessageID = ?", (mail.message_id,), "no row", False, False),
        ("delete1", "SELECT ID, Size FROM mailbox WHERE ID IN (?)", ("given00000",), "1 row", False, False),
        (
            "send1",
            "INSERT INTO mailbox(Created, ID, MessageID, Subject, …) VALUES(?,?,?,?, …)",
            ("…", "9hX200000"),
            "1 row",
            False,
            False,
        ),
        (
            "send1",
            "INSERT INTO mailbox_data(ID, Email, Compressed) VALUES(?, ?, 1)",
            ("9hX200000",),
            "1 row",
            False,
            False,
        ),
        ("delete1", "DELETE FROM mailbox WHERE ID IN (?)", ("given00000",), "1 row", False, False),
        ("server", "SELECT COUNT(*) FROM mailbox", (), "1", True, False),
        ("delete1", "DELETE FROM message_tags WHERE ID IN (?)", ("given00000",), "1 row", False, False),
        ("send1", "INSERT OR IGNORE INTO tags (Name) VALUES (?)", (tag,), "0 rows: it is there", False, True),
        (
            "delete1",
            "DELETE FROM tags WHERE ID IN (SELECT tags.ID FROM tags LEFT JOIN message_tags …)",
            (),
            "1 row",
            False,
            True,
        ),
        ("send1", "SELECT ID FROM tags WHERE Name = ?", (tag,), "no row", False, False),
    )
    schedule = ScheduleWitness(
        text="delete1@send1:4 deviations=1",
        deviations=1,
        steps=tuple(
            Step(
                actor=actor,
                number=1 + sum(1 for s in steps[:i] if s[0] == actor),
                sql=sql,
                args=args,
                result=result,
                background=background,
                guilty=guilty,
            )
            for i, (actor, sql, args, result, background, guilty) in enumerate(steps)
        ),
        outcome="send1 451; one copy stored without its tag",
        serial=(
            ("delete1, send1", "delete1 200; send1 250; one copy with the tag"),
            ("send1, delete1", "send1 250; delete1 200; one copy with the tag"),
        ),
        realised=10,
        repeats=10,
        tries=14,
    )
    finding = Anomaly(
        name=AnomalyName.REJECTED_BUT_STORED,
        round=0,
        message=mail.key,
        attempts=(1,),
        copies=("9hX200000",),
        proof=(
            "rejected_but_stored, schedule delete1@send1:4, message r00000s01: sender 1 was told 451 at "
            "4.210 ms, which promises that nothing was stored (RFC 5321 4.2.1); the store holds one "
            "copy, ID 9hX200000."
        ),
    )
    base = native(hits=0)
    scenario = ScenarioResult(
        name="delete-last-holder",
        title="The last holder of a tag is deleted while a mail with that tag arrives",
        file="scenarios/delete-last-holder.race.yaml",
        mode="steer",
        verdict=Verdict.RACE,
        reason=(
            "3 of 85 classes of schedules refuse a mail and store it all the same, each realised on one "
            "instance"
        ),
        hits=3,
        anomalies={"rejected_but_stored": 3, "tag_lost": 5},
        witnesses=(
            Witness(
                anomaly=finding,
                record=record,
                replay="mailrace replay reports/latest/run.json --target mailpit@1.30.5",
                explained=(
                    ("sql: no rows in result set", "the tag's row was pruned between INSERT and SELECT"),
                ),
                schedule=schedule,
            ),
        ),
        release_at="last-byte",
        expected=(0, 0),
        found=1,
        schedules=Schedules(
            explored=1470,
            classes=85,
            violating=3,
            split_only=0,
            missed=0,
            exhaustive=True,
            bound=(
                "every schedule of the SQL statements of these operations, each operation once, from this "
                "store; not covered: in-process state, background writes (cron, --max), driver differences"
            ),
            violating_orders=35,
            seconds={"explore": 1.7, "realise": 2.3},
        ),
    )
    return replace(
        base,
        verdict=Verdict.RACE,
        target=replace(
            base.target,
            name="mailpit@1.30.5",
            version="1.30.5",
            version_source=VersionSource.BUILD_INFO,
            storage="rqlite (door)",
        ),
        command="mailrace steer scenarios/delete-last-holder.race.yaml --target mailpit@1.30.5 --seed 7",
        scenarios=(scenario,),
    )
