"""The same conversation with the embedded reference and with the release that it follows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.targets import open_target, why_not

from tests.absent import nowhere_to_be_had
from tests.embedded.conversation import Speaker
from tests.embedded.conversation_steps import NEWER, STEPS, Step

# Not compared: IDs, times, sizes of the database, memory, uptime, and what `conversation.Speaker` says.


def _differences(version: str, folder: Path, steps: tuple[Step, ...]) -> list[tuple[str, object, object]]:
    names = [f"{kind}@{version}" for kind in ("embedded", "mailpit")]
    targets = [open_target(name, ServerOptions(pop3=True, relay=True), folder=folder) for name in names]
    try:
        for target in targets:
            target.start()
        places = [target.addresses for target in targets]
        ours, theirs = (Speaker(p.of("smtp")[:2], p.api, p.of("pop3")[:2]) for p in places)
        answers = [(step.name, ours.say(step), theirs.say(step)) for step in steps]
        relayed = (target.relayed() for target in targets)
        got = [
            [one.comparable(mail.decode()) for mail in mails]
            for one, mails in zip((ours, theirs), relayed, strict=True)
        ]
        answers.append(("what the relay got", *got))
    finally:
        for target in targets:
            target.stop()
    assert len(answers) >= 60
    return [answer for answer in answers if answer[1] != answer[2]]


@pytest.mark.mailpit
@pytest.mark.parametrize("version", ["1.33.1", "1.30.5", "1.27.11"])
def test_answers_are_those_of_the_release(
    version: str, real_mailpit: Callable[[str], str], tmp_path: Path
) -> None:
    real_mailpit(version)
    assert _differences(version, tmp_path, NEWER) == []


@pytest.mark.mailpit
def test_answers_are_those_of_1_17_0_where_there_is_one(tmp_path: Path) -> None:
    if reason := why_not("mailpit@1.17.0"):
        nowhere_to_be_had(reason)
    assert _differences("1.17.0", tmp_path, STEPS) == []
