"""Typed-in run results, native and steered, as the engines would give them."""

from dataclasses import replace

from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import (
    LogLine,
    RoundRecord,
    Stage,
    Stored,
)
from mailrace.model.operation import Delete, PlannedRound, Send
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
from tests.report.report_records import (
    QUEUED,
    REFUSAL,
    T0,
    clean_round,
    copy,
    message,
    raced_round,
    sent,
    witness,
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
            why="mailpit@1.16.2 is not available here: no binary and no archive",
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
            storage="rqlite (database proxy)",
        ),
        command="mailrace steer scenarios/delete-last-holder.race.yaml --target mailpit@1.30.5 --seed 7",
        scenarios=(scenario,),
    )
