"""Takes a witness and its server's options; gives repro.py, which shows it again without mailrace."""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from mailrace.actors.http import request_of
from mailrace.actors.mail import render
from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.asked import own_ids
from mailrace.model.errors import UsageError
from mailrace.model.operation import (
    EDITS,
    Effect,
    Message,
    Operation,
    Pop3Delete,
    Pop3Retrieve,
    Read,
    Send,
    protocol_of,
)
from mailrace.model.result import Step, Witness
from mailrace.report.jinja import environment, filled
from mailrace.report.words import legible, sentence

SWEPT_US = 1800
"""Release offsets are spread over this, µs: race S2 was measured within ±900 µs."""
DECOYS = 2
STATEMENT_MAX = 20_000
"""Characters of a statement in the script, where it must be whole: it is compared with what is sent."""
BODY_TEXT_MAX = 64_000
"""Characters of a user's own message that the script may hold."""

PROMISES: Mapping[AnomalyName, str] = {
    AnomalyName.REJECTED_BUT_STORED: (
        "a 4yz or 5yz reply to the final dot means that the message was not taken (RFC 5321 4.2.1)"
    ),
    AnomalyName.ACCEPTED_BUT_MISSING: "a 250 reply to the final dot means that the message is stored",
    AnomalyName.DUPLICATED: "one message is stored once",
    AnomalyName.TAG_LOST: "an accepted message has the tags that it asked for",
    AnomalyName.TAG_DUPLICATED: "a message holds each of its tags once",
    AnomalyName.TAG_GHOST: "a listed tag is held by a message",
    AnomalyName.SPURIOUS_REJECTION: "these operations are all accepted, in whatever order they run",
    AnomalyName.ENVELOPE_LEAKED: "a message's recipients are its own",
    AnomalyName.NOT_SERIALIZABLE: "operations that run together give what one of their orders gives",
    AnomalyName.HANG: "a request is answered",
    AnomalyName.CRASH: "the server goes on running",
    AnomalyName.CONTENT_MIXED: "a stored message is the message that was sent",
    AnomalyName.ID_MIXED: "the ID in a reply is that of the message it answers",
    AnomalyName.FOREIGN_ROW: "the store holds only messages that were sent",
    AnomalyName.OLDER_CHANGED: "a stored message stays as it is until somebody edits or deletes it",
    AnomalyName.SEARCH_WRONG: "a search finds the messages that match it, and no other",
    AnomalyName.VIEWS_DISAGREE: "what the server shows of a message is the same wherever it is shown",
    AnomalyName.ORDER_WRONG: "messages are listed in the order of their arrival",
}
"""The promise that each anomaly breaks, in a maintainer's words; one that is only reported breaks none."""
_JUDGES = files("mailrace.report") / "templates" / "judges"
WITHOUT_SCRIPT = frozenset(name for name in PROMISES if not (_JUDGES / f"{name}.py.j2").is_file())
"""Anomalies that repro.py has no judge for: `mailrace replay` of the bundle shows them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """The server that a witness was recorded on: version, flags beyond the usual, instances on one store."""

    version: str
    flags: tuple[str, ...] = ()
    instances: int = 1
    contents: Mapping[str, bytes] | None = None


def repro_script(witness: Witness, facts: ServerFacts, title: str) -> str:
    """The text of repro.py for a witness; raises UsageError where its anomaly has no script."""
    name = witness.anomaly.name
    if name not in PROMISES or name in WITHOUT_SCRIPT:
        raise UsageError(
            f"{name.value}: no script is made for this anomaly; `mailrace replay` shows it again"
            if name.weight is Weight.RACE
            else f"{name.value}: it is reported and breaks no promise, so there is nothing to reproduce"
        )
    # The anomaly has a script. It sends what the round sent, over the same protocol. The server's IDs will be
    # other ones, which the script learns itself, so places for IDs stand where the keys of given messages
    # were.
    record, schedule = witness.record, witness.schedule
    word, proof = run_word(witness), " ".join(_prose(witness.anomaly.proof).split())
    contents = dict(facts.contents or {})
    keys = {m.key: f"%ID:{m.key}%" for m in record.plan.given}
    operations = record.plan.operations
    instances = max(facts.instances, schedule.instances if schedule else 1)
    # The script can hold a schedule only on one instance. Several instances on one store it races natively.
    is_steered = schedule is not None and instances == 1
    sent = [step for step in schedule.steps if not step.background] if schedule is not None else []
    text = filled(
        environment(),
        "repro.py.j2",
        title=_prose(sentence(title)),
        proof=textwrap.fill(proof, 104, break_long_words=False, break_on_hyphens=False),
        promise=_flat(PROMISES[name]),
        recorded_on=_flat(f"Mailpit {legible(facts.version, 60)}"),
        flags=_flat(list(facts.flags)),
        offsets=repr([round(o, 1) for o in record.offsets_us]),
        swept=repr(SWEPT_US if any(isinstance(o, EDITS) for o in operations) else SWEPT_US // 9),
        decoys=repr(DECOYS if any(isinstance(o, EDITS) for o in operations) or record.decoys else 0),
        given=_literal([_mail(m, word, contents) for m in record.plan.given]),
        actors=_literal([_actor(o, word, keys, contents) for o in operations if not isinstance(o, Read)]),
        judge=f"judges/{name.value}.py.j2",
        learns=name in (AnomalyName.NOT_SERIALIZABLE, AnomalyName.SPURIOUS_REJECTION),
        instances=instances,
        has_pop3=any(protocol_of(o) == "pop3" for o in operations),
        has_relay=any(o.effect & Effect.RELAYS for o in operations),
        has_proxy=is_steered or instances > 1,
        steered=is_steered,
        hangs=name in (AnomalyName.HANG, AnomalyName.CRASH),
        order=_order(sent, word) if is_steered else "",
        marked=_flat([number for number, step in enumerate(sent, 1) if step.guilty]),
    )
    return text.rstrip() + "\n"


def run_word(witness: Witness) -> str:
    """The run's own word in addresses and tags. The script replaces it by a fresh one in each round."""
    messages = [*witness.record.plan.given]
    messages += [o.message for o in witness.record.plan.operations if isinstance(o, Send)]
    return messages[0].domain.removesuffix(".test") if messages else "mr"


def step_note(step: Step, limit: int = 300) -> str:
    """A statement on one line, with single blanks, at most `limit` characters of it."""
    return legible(re.sub(r"\s+", " ", step.sql).strip(), limit)


def _actor(
    operation: Operation, word: str, ids: Mapping[str, str], contents: Mapping[str, bytes]
) -> dict[str, object]:
    if isinstance(operation, Send) and operation.via == "smtp":
        made: dict[str, object] = {"name": operation.key, "mail": _mail(operation.message, word, contents)}
        if operation.lead is not None:
            made["lead"] = _mail(operation.lead, word, contents)
        if operation.ignore_mail_reply:
            made["goes_on"] = True
        return made
    if isinstance(operation, Pop3Retrieve | Pop3Delete):
        word = "RETR" if isinstance(operation, Pop3Retrieve) else "QUIT"
        return {"name": operation.key, "pop3": word, "messages": own_ids(operation, ids)}
    method, path, body = request_of(operation, 1, ids, contents)
    request = {"method": method, "path": _marked(path, word), "body": _marked(body.decode(), word)}
    made = {"name": operation.key, "request": request}
    if isinstance(operation, Send):
        made["mail"] = _mail(operation.message, word, contents)
    return made


def _mail(message: Message, word: str, contents: Mapping[str, bytes]) -> dict[str, object]:
    """A message as the script holds it: the lines of its head and its body's length; all of a user's own."""
    is_of_file = message.file_sha256 is not None and message.file_sha256 in contents
    is_own = is_of_file or bool(message.image_bytes)
    raw = render(message if is_of_file else replace(message, file_sha256=None), 1, contents)
    # A file may end its lines in CR CR LF, which Mailpit takes for the end of one line. So an empty line may
    # be that.
    head, body = re.split(rb"\r*\n\r*\n", raw, maxsplit=1)
    text = body.decode("utf-8", "surrogateescape")
    return {
        "from": _marked(message.sender, word),
        "to": [_marked(a, word) for a in message.recipients],
        "tags": [_marked(t, word) for t in message.tags],
        "head": [
            _marked(line, word)
            for line in head.decode("utf-8", "surrogateescape").split("\r\n")
            if not line.startswith("X-Mailrace:")
        ],
        "body_bytes": len(body),
        "body": _marked(text, word) if is_own and len(text) <= BODY_TEXT_MAX else None,
    }


def _marked(text: str, word: str) -> str:
    """The text with the run's word as `%RUN%`, or `%RUN:0100…%` where letters of it are in upper case."""

    def mark(match: re.Match[str]) -> str:
        mask = "".join("1" if c.isupper() else "0" for c in match[0])
        return f"%RUN:{mask}%" if "1" in mask else "%RUN%"

    return re.sub(re.escape(word), mark, text, flags=re.IGNORECASE)


def _order(steps: Sequence[Step], word: str) -> str:
    lines = [
        f"    ({_flat(step.actor)}, {_flat(_marked(step_note(step, STATEMENT_MAX), word))}),"
        for step in steps
    ]
    return "\n".join(["[", *lines, "]"])


def _literal(value: object, indent: int = 0) -> str:
    """The value as Python source, one entry a line where it is long."""
    flat = _flat(value)
    if len(flat) + indent <= 96 or not isinstance(value, dict | list):
        return flat
    inner = " " * (indent + 4)
    if isinstance(value, dict):
        entries = [f"{_flat(k)}: {_literal(v, indent + 4)}" for k, v in value.items()]
    else:
        entries = [_literal(v, indent + 4) for v in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + "".join(f"{inner}{e},\n" for e in entries) + " " * indent + closing


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flat(k)}: {_flat(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flat(v) for v in value) + "]"
    if not isinstance(value, str):
        return repr(value)
    # JSON writes a character above U+FFFF as two halves, which Python would read as two characters.
    return _HALVES.sub(_whole, json.dumps(value))


_HALVES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


def _whole(two: re.Match[str]) -> str:
    character: str = json.loads('"' + two[0] + '"')
    return f"\\U{ord(character):08x}"


def _prose(text: str) -> str:
    """Text that can stand in the script's docstring."""
    return legible(text, 2000).replace("\\", "/").replace('"', "'")
