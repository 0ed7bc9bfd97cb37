"""Tags and envelopes on typed-in rounds: each planted anomaly, the whole finding compared."""

from mailrace.check import check_round
from mailrace.model.anomaly import AnomalyName
from mailrace.model.operation import ServerOptions

from tests.check.rounds import (
    BOTH,
    DOMAIN,
    LIST,
    OK_1,
    OK_2,
    ONE,
    PLAIN,
    TWO,
    anomaly,
    copy,
    executed,
    mail,
    send,
    tried,
)


def test_tag_lost() -> None:
    message = mail("s01", "T, a/b", "C")
    operations = (send(message), BOTH[1])
    record = executed(operations, (tried(operations[0], 250, 1), OK_2), (copy(message, "t"), LIST[1]))
    assert check_round(record, PLAIN) == (
        anomaly(
            AnomalyName.TAG_LOST,
            "sender 1 was told 250 at 1.000 ms and asked for tags 'T', 'a b' and 'C'; its copy, ID IDs01a1, "
            "holds tag 't', so tags 'a b' and 'C' are lost.",
            message=message.key,
            attempts=(1,),
            copies=("IDs01a1",),
            tags=("a b", "C"),
        ),
    )
    assert check_round(record, ServerOptions(tags_disable=("x-tags",))) == ()


def test_tag_duplicated() -> None:
    assert check_round(executed(BOTH, (OK_1, OK_2), (LIST[0], copy(TWO, "T", "t"))), PLAIN) == (
        anomaly(
            AnomalyName.TAG_DUPLICATED,
            "its copy, ID IDs02a1, holds tags 'T' and 't': 't' twice, "
            "where a message can hold a tag only once.",
            message=TWO.key,
            attempts=(1,),
            copies=("IDs02a1",),
            tags=("t",),
        ),
    )


def test_tag_ghost_only_of_this_round() -> None:
    record = executed(BOTH, (OK_1, OK_2), LIST, tags=("T", "urgent", "mr-r00041-b", "mr-r00042"))
    assert check_round(record, PLAIN) == (
        anomaly(
            AnomalyName.TAG_GHOST,
            "the server lists tag 'mr-r00041-b', and none of the round's 2 copies holds it.",
            tags=("mr-r00041-b",),
        ),
    )


def test_envelope_leaked_by_a_foreign_recipient() -> None:
    leaking = copy(TWO, "T", bcc=(ONE.to[0].upper(),))
    assert check_round(executed(BOTH, (OK_1, OK_2), (LIST[0], leaking)), PLAIN) == (
        anomaly(
            AnomalyName.ENVELOPE_LEAKED,
            f"its copy, ID IDs02a1, names r00041.s01@{DOMAIN}, to whom this message was not sent.",
            message=TWO.key,
            attempts=(1,),
            copies=("IDs02a1",),
        ),
    )


def test_envelope_leaked_by_a_missing_recipient_and_a_foreign_sender() -> None:
    hidden = mail("s02", bcc=(f"r00041.s02.b01@{DOMAIN}",))
    operations = (BOTH[0], send(hidden))
    leaking = copy(hidden, bcc=(), reply_to=("somebody@else.test",))
    assert check_round(
        executed(operations, (OK_1, tried(operations[1], None, 9)), (LIST[0], leaking)), PLAIN
    ) == (
        anomaly(
            AnomalyName.ENVELOPE_LEAKED,
            f"its copy, ID IDs02a1, does not name r00041.s02.b01@{DOMAIN}, to whom it was sent and "
            "bears Reply-To somebody@else.test, which none of its attempts wrote.",
            message=hidden.key,
            copies=("IDs02a1",),
        ),
    )


def test_a_users_own_file_may_name_further_people() -> None:
    filed = mail("s02", file_sha256="0" * 64, headers=(("Cc", "Boss <boss@office.test>"),))
    operations = (BOTH[0], send(filed))
    attempts = (OK_1, tried(operations[1], 250, 2))
    named = copy(filed, cc=("boss@office.test", "aunt@home.test"))
    assert check_round(executed(operations, attempts, (LIST[0], named)), PLAIN) == ()
    leaking = copy(filed, cc=(ONE.to[0],))
    found = check_round(executed(operations, attempts, (LIST[0], leaking)), PLAIN)
    assert [a.name for a in found] == [AnomalyName.ENVELOPE_LEAKED]
