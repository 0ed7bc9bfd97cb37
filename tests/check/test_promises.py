"""Each promise on typed-in rounds: clean, unknown, one planted anomaly for each branch, compared whole."""

from mailrace.check import check_round, not_looked
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import Outcome, Word
from mailrace.model.operation import Delete

from tests.check.rounds import (
    BOTH,
    IGNORING,
    LIST,
    OK_1,
    OK_2,
    PLAIN,
    TWO,
    anomaly,
    copy,
    executed,
    mail,
    send,
    tried,
)


def test_an_empty_round_promises_nothing() -> None:
    assert check_round(executed((), (), ()), PLAIN) == ()


def test_a_clean_round_has_no_anomaly() -> None:
    record = executed(BOTH, (OK_1, OK_2), LIST, tags=("T",))
    assert check_round(record, PLAIN) == ()
    assert check_round(record, IGNORING) == ()
    assert not_looked(record) == ""


def test_an_unknown_outcome_may_have_no_copy_or_one() -> None:
    unknown = tried(BOTH[1], None, 900)
    assert check_round(executed(BOTH, (OK_1, unknown), LIST[:1]), PLAIN) == ()
    assert check_round(executed(BOTH, (OK_1, unknown), (LIST[0], copy(TWO))), PLAIN) == ()


def test_a_refusal_without_a_copy_keeps_its_promise() -> None:
    assert check_round(executed(BOTH, (OK_1, tried(BOTH[1], 451, 2)), LIST[:1]), PLAIN) == ()


def test_a_store_that_was_not_read_is_no_clean_round() -> None:
    record = executed(BOTH, (OK_1, OK_2), None)
    assert check_round(record, PLAIN) == ()
    assert not_looked(record) == "round 41: the store was not read, so nothing is known of its copies"


def test_a_lost_round_says_why() -> None:
    record = executed(BOTH, (), (), lost="the server refused the connection")
    assert not_looked(record) == "round 41 could not be exercised: the server refused the connection"


def test_rejected_but_stored_and_what_its_retry_makes_of_it() -> None:
    attempts = (OK_1, tried(BOTH[1], 451, 2.113), tried(BOTH[1], 250, 9.87, number=2))
    copies = (LIST[0], copy(TWO), copy(TWO, "T", attempt=2))
    assert check_round(executed(BOTH, attempts, copies), PLAIN) == (
        anomaly(
            AnomalyName.REJECTED_BUT_STORED,
            "sender 2 was told 451 at 2.113 ms, which promises that nothing was stored (RFC 5321 4.2.1); "
            "the store holds one copy, ID IDs02a1; its retry was told 250 at 9.870 ms, "
            "so the client's one mail is there twice.",
            message=TWO.key,
            attempts=(1, 2),
            copies=("IDs02a1", "IDs02a2"),
        ),
    )


def test_rejected_but_stored_without_a_retry() -> None:
    record = executed(
        BOTH,
        (OK_1, tried(BOTH[1], 451, 2.113)),
        (LIST[0], copy(TWO, server_id="a"), copy(TWO, server_id="b")),
    )
    assert check_round(record, PLAIN) == (
        anomaly(
            AnomalyName.REJECTED_BUT_STORED,
            "sender 2 was told 451 at 2.113 ms, which promises that nothing was stored (RFC 5321 4.2.1); "
            "the store holds two copies, IDs a and b.",
            message=TWO.key,
            attempts=(1,),
            copies=("a", "b"),
        ),
    )


def test_a_link_lost_before_the_final_dot_promises_no_copy_as_well() -> None:
    lost = tried(BOTH[1], None, 2, word=Word.LINK_LOST, outcome=Outcome.FAIL, released_ms=None)
    assert check_round(executed(BOTH, (OK_1, lost), LIST), PLAIN) == (
        anomaly(
            AnomalyName.REJECTED_BUT_STORED,
            "sender 2 lost its link at 2.000 ms, before its final dot was complete, "
            "which promises that nothing was stored (RFC 5321 4.1.1.4); "
            "the store holds one copy, ID IDs02a1.",
            message=TWO.key,
            attempts=(1,),
            copies=("IDs02a1",),
        ),
    )


def test_a_refusal_over_rest_that_is_stored() -> None:
    operations = (BOTH[0], send(TWO, via="rest"))
    record = executed(operations, (OK_1, tried(operations[1], 400, 2)), LIST)
    assert check_round(record, PLAIN) == (
        anomaly(
            AnomalyName.REJECTED_BUT_STORED,
            "sender 2 was told HTTP 400 at 2.000 ms, which says that nothing was stored; "
            "the store holds one copy, ID IDs02a1.",
            message=TWO.key,
            attempts=(1,),
            copies=("IDs02a1",),
        ),
    )


def test_a_retry_that_is_ignored_as_a_duplicate_loses_the_tags() -> None:
    attempts = (OK_1, tried(BOTH[1], 451, 2), tried(BOTH[1], 250, 9, number=2))
    assert check_round(executed(BOTH, attempts, (LIST[0], copy(TWO))), IGNORING) == (
        anomaly(
            AnomalyName.REJECTED_BUT_STORED,
            "sender 2 was told 451 at 2.000 ms, which promises that nothing was stored (RFC 5321 4.2.1); "
            "the store holds one copy, ID IDs02a1; its retry was told 250 at 9.000 ms "
            "and left no copy of its own.",
            message=TWO.key,
            attempts=(1, 2),
            copies=("IDs02a1",),
        ),
        anomaly(
            AnomalyName.TAG_LOST,
            "retry 1 of sender 2 was told 250 at 9.000 ms and asked for tag 'T'; its copy, ID IDs02a1, "
            "holds no tag, so tag 'T' is lost.",
            message=TWO.key,
            attempts=(2,),
            copies=("IDs02a1",),
            tags=("T",),
        ),
    )


def test_accepted_but_missing() -> None:
    assert check_round(executed(BOTH, (OK_1, OK_2), LIST[:1]), PLAIN) == (
        anomaly(
            AnomalyName.ACCEPTED_BUT_MISSING,
            "sender 2 was told 250 at 2.500 ms, which promises one copy (RFC 5321 4.2.5); "
            "the store holds no copy.",
            message=TWO.key,
            attempts=(1,),
        ),
    )


def test_the_copy_of_a_refused_attempt_does_not_stand_for_its_retry() -> None:
    attempts = (OK_1, tried(BOTH[1], 451, 2), tried(BOTH[1], 250, 9, number=2))
    found = check_round(executed(BOTH, attempts, (LIST[0], copy(TWO))), PLAIN)
    assert [(a.name, a.attempts) for a in found] == [
        (AnomalyName.REJECTED_BUT_STORED, (1, 2)),
        (AnomalyName.ACCEPTED_BUT_MISSING, (2,)),
    ]


def test_with_ignored_duplicates_one_copy_is_enough_for_a_message_id() -> None:
    shared = mail("s01", message_id="same@x"), mail("s02", message_id="same@x")
    operations = (send(shared[0]), send(shared[1]))
    attempts = (tried(operations[0], 250, 1), tried(operations[1], 250, 2))
    assert check_round(executed(operations, attempts, (copy(shared[0]),)), IGNORING) == ()
    assert check_round(executed(operations, attempts, ()), IGNORING) == (
        anomaly(
            AnomalyName.ACCEPTED_BUT_MISSING,
            "sender 1 was told 250 at 1.000 ms, which promises one copy (RFC 5321 4.2.5); "
            "the store holds no copy of Message-ID same@x.",
            message=shared[0].key,
            attempts=(1,),
        ),
    )


def test_duplicated_with_ignored_duplicates() -> None:
    shared = mail("s01", message_id="same@x"), mail("s02", message_id="same@x")
    operations = (send(shared[0]), send(shared[1]))
    attempts = (tried(operations[0], 250, 1), tried(operations[1], 250, 2))
    record = executed(operations, attempts, (copy(shared[0]), copy(shared[1])))
    # Without the option they are distinct messages, and both belong there.
    assert check_round(record, PLAIN) == ()
    assert check_round(record, IGNORING) == (
        anomaly(
            AnomalyName.DUPLICATED,
            "sender 1 was told 250 at 1.000 ms and sender 2 was told 250 at 2.000 ms; the server was told to "
            "ignore a Message-ID that it holds, and of same@x it holds two copies, IDs IDs01a1 and IDs02a1.",
            message=shared[0].key,
            attempts=(1,),
            copies=("IDs01a1", "IDs02a1"),
        ),
    )


def test_duplicated_by_one_attempt_known_or_not() -> None:
    for attempt, words in (
        (OK_2, "was told 250 at 2.500 ms"),
        (tried(BOTH[1], None, 9), "had no reply at 9.000 ms"),
    ):
        twice = (LIST[0], copy(TWO, "T", server_id="a"), copy(TWO, "T", server_id="b"))
        assert check_round(executed(BOTH, (OK_1, attempt), twice), PLAIN) == (
            anomaly(
                AnomalyName.DUPLICATED,
                f"sender 2 {words}; one attempt promises one copy; the store holds two copies, IDs a and b.",
                message=TWO.key,
                attempts=(1,),
                copies=("a", "b"),
            ),
        )


def test_the_retry_of_an_unknown_attempt_is_the_clients_policy() -> None:
    attempts = (OK_1, tried(BOTH[1], None, 5), tried(BOTH[1], 250, 9, number=2))
    record = executed(BOTH, attempts, (LIST[0], copy(TWO, "T"), copy(TWO, "T", attempt=2)))
    assert check_round(record, PLAIN) == (
        anomaly(
            AnomalyName.RETRY_DUPLICATE,
            "sender 2 had no reply at 5.000 ms and retry 1 of sender 2 was told 250 at 9.000 ms; "
            "the store holds two copies, IDs IDs02a1 and IDs02a2: the retry of an unknown outcome doubled "
            "the mail, which is the client's own policy.",
            message=TWO.key,
            attempts=(1, 2),
            copies=("IDs02a1", "IDs02a2"),
        ),
    )
    # With ignored duplicates the server promised to keep one; a new ID is another mail to it.
    assert [a.name for a in check_round(record, IGNORING)] == [AnomalyName.DUPLICATED]
    new_id = (LIST[0], copy(TWO, "T"), copy(TWO, "T", attempt=2, message_id=f"again2.{TWO.message_id}"))
    renewed = check_round(executed(BOTH, attempts, new_id), IGNORING)
    assert [a.name for a in renewed] == [AnomalyName.RETRY_DUPLICATE]


def test_a_lead_message_counts_as_a_message() -> None:
    lead = mail("l02", malformed=True)
    operations = (BOTH[0], send(TWO, lead=lead))
    refused = tried(operations[1], 451, -3.25, message=lead, released_ms=-4)
    attempts = (refused, OK_1, tried(operations[1], 250, 2.5))
    assert check_round(executed(operations, attempts, LIST), PLAIN) == ()
    assert check_round(executed(operations, attempts, (*LIST, copy(lead))), PLAIN) == (
        anomaly(
            AnomalyName.REJECTED_BUT_STORED,
            "the lead message of sender 2 was told 451 3.250 ms before the release, which promises that "
            "nothing was stored (RFC 5321 4.2.1); the store holds one copy, ID IDl02a1.",
            message=lead.key,
            attempts=(1,),
            copies=("IDl02a1",),
        ),
    )


def test_a_given_message_must_still_be_there_with_its_tags() -> None:
    kept, tagged = mail("g01"), mail("g02", "G")
    operations = (BOTH[0], Delete(key="delete.1", messages=(kept.key,)))
    attempts = (OK_1, tried("delete.1", 200, 1, actor=1))
    record = executed(operations, attempts, (LIST[0], copy(tagged)), given=(kept, tagged))
    assert check_round(record, PLAIN) == (
        anomaly(
            AnomalyName.TAG_LOST,
            "the given message was stored before the round and asked for tag 'G'; its copy, ID IDg02a1, "
            "holds no tag, so tag 'G' is lost.",
            message=tagged.key,
            attempts=(1,),
            copies=("IDg02a1",),
            tags=("G",),
        ),
    )
    gone = executed(operations, attempts, LIST[:1], given=(kept, tagged))
    assert check_round(gone, PLAIN) == (
        anomaly(
            AnomalyName.ACCEPTED_BUT_MISSING,
            "the given message was stored before the round; the store holds no copy.",
            message=tagged.key,
            attempts=(1,),
        ),
    )


def test_hang_and_crash_need_no_store() -> None:
    record = executed(
        BOTH, (), None, hung=("DELETE /api/v1/messages (delete.1)", "GET /readyz"), crashed="status 2"
    )
    assert check_round(record, PLAIN) == (
        anomaly(AnomalyName.CRASH, "the server's process ended: status 2."),
        anomaly(
            AnomalyName.HANG,
            "DELETE /api/v1/messages (delete.1) and GET /readyz got no answer, and the server did nothing or "
            "the time limit was over.",
        ),
    )
