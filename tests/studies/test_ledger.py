"""What became of the mails, on rounds typed in: doubled, lost, given up, untagged, and what a table says."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from mailrace.model.attempt import Attempt, Outcome, RoundRecord, Stored, StoredMessage, Word
from mailrace.model.operation import Message, Send, ServerOptions
from mailrace.studies.ledger import Ledger, ledger
from mailrace.studies.retries import Trial, hidden_duplicates, sentence

from tests import built

PLAIN, IGNORING = ServerOptions(), ServerOptions(ignore_duplicate_ids=True)
OK, FAIL = Outcome.OK, Outcome.FAIL


def mail(number: int, *, message_id: str = "") -> Message:
    key = f"r00000s{number:02d}"
    return Message(
        key=key, domain="d.test", message_id=message_id or f"{key}@d.test", to=("a@d.test",), x_tags=("T",)
    )


def tried(message: Message, outcome: Outcome, *, number: int = 1, word: Word | None = None) -> Attempt:
    return built.attempt(
        f"send.{int(message.key[-2:])}",
        outcome,
        actor=int(message.key[-2:]) - 1,
        message=message.key,
        number=number,
        word=word or (Word.ACCEPTED if outcome is OK else Word.REFUSED),
    )


def copy(message: Message, *tags: str) -> StoredMessage:
    return built.row(message, *tags, id=f"{message.key}-{len(tags)}")


def round_of(
    messages: tuple[Message, ...], attempts: tuple[Attempt, ...], *copies: StoredMessage
) -> RoundRecord:
    operations = tuple(Send(key=f"send.{i}", message=m) for i, m in enumerate(messages, start=1))
    return built.record(operations, attempts=attempts, stored=Stored(messages=copies, tags=()))


ONE = mail(1)
SAME, TWIN = mail(1, message_id="x@d.test"), mail(2, message_id="x@d.test")
REFUSED_AND_AGAIN = (tried(ONE, FAIL), tried(ONE, OK, number=2))


@pytest.mark.parametrize(
    ("record", "options", "expected"),
    [
        (round_of((ONE,), (tried(ONE, OK),), copy(ONE, "t")), PLAIN, {}),
        (
            round_of((ONE,), REFUSED_AND_AGAIN, copy(ONE), copy(ONE, "T")),
            PLAIN,
            {"refused": 1, "doubled": 1, "extra": 1},
        ),
        (
            round_of((ONE,), REFUSED_AND_AGAIN, copy(ONE)),
            IGNORING,
            {"refused": 1, "untagged": 1, "extra": 1},
        ),
        (round_of((ONE,), (tried(ONE, OK),)), PLAIN, {"lost": 1}),
        (round_of((ONE,), (tried(ONE, FAIL),)), PLAIN, {"refused": 1, "given_up": 1}),
        (
            round_of((ONE,), (tried(ONE, FAIL), tried(ONE, FAIL, number=2, word=Word.NOT_SENT)), copy(ONE)),
            PLAIN,
            {"refused": 1, "untagged": 1},
        ),
        (
            round_of((SAME, TWIN), (tried(SAME, OK), tried(TWIN, OK)), copy(SAME, "T"), copy(TWIN, "T")),
            IGNORING,
            {"doubled": 1},
        ),
        (
            round_of((SAME, TWIN), (tried(SAME, OK), tried(TWIN, OK)), copy(SAME, "T"), copy(TWIN, "T")),
            PLAIN,
            {"mails": 2},
        ),
    ],
    ids=[
        "clean, tags without case",
        "refused, stored, sent again",
        "the option hides the second copy and the tag",
        "lost",
        "given up",
        "reconcile spares a try",
        "one Message-ID is one mail with the option",
        "and two without it",
    ],
)
def test_each_count(record: RoundRecord, options: ServerOptions, expected: dict[str, int]) -> None:
    assert asdict(ledger([record], options)) == asdict(Ledger(**{"rounds": 1, "mails": 1, **expected}))


def test_rounds_that_were_not_looked_at_are_left_out() -> None:
    record = round_of((ONE,), (tried(ONE, OK),))
    unseen = [replace(record, stored=None), replace(record, lost="late"), replace(record, released_ns=0)]
    assert ledger(unseen, PLAIN) == Ledger()


def trial(policy: str, *, on: bool = False, **counts: int) -> Trial:
    return Trial(
        policy=policy,
        ignore_duplicate_ids=on,
        ledger=Ledger(**{"rounds": 9, "mails": 18, "refused": 5, **counts}),
        seconds=1.0,
    )


def test_the_right_policy_is_named_with_its_reason() -> None:
    said = sentence([trial("none", given_up=5), trial("naive", doubled=5), trial("reconcile")])
    assert said.startswith("Nothing is lost and nothing doubled in these rounds under reconcile")
    assert "looks for its Message-ID first" in said


def test_where_none_is_right_the_lost_tags_are_said() -> None:
    said = sentence([trial("naive", doubled=5), trial("reconcile", untagged=4), trial("none", untagged=6)])
    assert "No policy is right here." in said
    assert "4 to 6 of some 18 lack their tags" in said


def test_where_all_lose_or_double_the_best_is_named() -> None:
    said = sentence([trial("naive", doubled=5), trial("none", given_up=5)])
    assert said.startswith("No policy is right here: even naive (ignore_duplicate_ids off) leaves 5 doubled")


def test_without_a_refusal_no_policy_is_praised() -> None:
    assert sentence([trial("none", refused=0)]).startswith("No attempt was refused")
    assert sentence([trial("none", mails=0)]).startswith("Nothing could be looked at")


def test_what_the_option_hides() -> None:
    shown = [trial("naive", doubled=7), trial("naive", on=True, untagged=6)]
    assert (
        "duplicates of naive are gone (7 without it), and 6 mails have lost their tags"
        in hidden_duplicates(shown)
    )
    assert hidden_duplicates([trial("naive", doubled=7), trial("naive", on=True)]) == ""


def test_a_policy_is_not_praised_for_rounds_that_nobody_could_look_at() -> None:
    unseen: list[dict[str, Any]] = [{"rounds_refused": 3}, {"anomalies": {"hang": 2, "crash": 1}}]
    for changed in unseen:
        said = sentence([trial("naive", doubled=5), replace(trial("reconcile"), **changed)])
        assert said.startswith("No policy can be named: in 3 rounds")
