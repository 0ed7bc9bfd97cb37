"""Takes a witness and its run; gives ISSUE.md: what a Mailpit maintainer needs, in a maintainer's words."""

from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import LogLine, RoundRecord
from mailrace.model.cause import UNANSWERED, Cause
from mailrace.model.operation import Send
from mailrace.model.phrases import plural
from mailrace.model.result import RunResult, ScenarioResult, Witness
from mailrace.report.causes import repairs_words
from mailrace.report.expected import message_rows
from mailrace.report.jinja import filled
from mailrace.report.markdown import in_markdown
from mailrace.report.repro import PROMISES, WITHOUT_SCRIPT, ServerFacts, step_note
from mailrace.report.words import legible, meaning, rate_words, reply_words

LOG_LINES_MAX = 8
STEPS_MAX = 120
"""How many statements the table shows; an issue on GitHub holds 65,536 characters."""


def issue(run: RunResult, scenario: ScenarioResult, witness: Witness, facts: ServerFacts) -> str:
    """The text of ISSUE.md."""
    schedule = witness.schedule
    # The story of the cause counts all statements. So each one keeps its number, although the table leaves
    # some out.
    every = enumerate(schedule.steps, 1) if schedule else ()
    steps = [(number, step) for number, step in every if not step.background]
    cause = _cause(scenario, witness)
    actors = list(dict.fromkeys(step.actor for _, step in steps))
    # The text itself is in the template. These are the values that it uses.
    return filled(
        in_markdown(),
        "issue.md.j2",
        run=run,
        scenario=scenario,
        witness=witness,
        promise=PROMISES[witness.anomaly.name],
        has_script=witness.anomaly.name not in WITHOUT_SCRIPT,
        flags=" ".join(facts.flags),
        proof=witness.anomaly.proof.partition(": ")[2] or witness.anomaly.proof,
        rate=_rate(scenario),
        native=not scenario.schedules,
        confirmed=[
            rate_words(s)
            for s in run.scenarios
            if scenario.schedules and s.name == scenario.name and s.mode == "race" and s.rounds
        ],
        happens=_happens(witness.record),
        messages=message_rows(witness.record, (witness.anomaly,)),
        cause=cause,
        repairs=repairs_words(cause) if cause else [],
        log=[legible(line.text, 400) for line in _told(witness.record)],
        explained=[(line, meaning(told)) for line, told in witness.explained],
        actors=actors,
        is_in_every_order=_is_in_every_order(witness),
        is_steered=schedule is not None and max(facts.instances, schedule.instances) == 1,
        steps=[(number, step, step_note(step)) for number, step in steps[:STEPS_MAX]],
        steps_left=max(0, len(steps) - STEPS_MAX),
    )


def _cause(scenario: ScenarioResult, witness: Witness) -> Cause | None:
    """The root cause that the witness shows; None where none was found, as in a native race."""
    causes = scenario.schedules.causes if scenario.schedules else ()
    shown = [one for one in causes if one.witness == witness.record.index and one.fate == "realised"]
    return next((one for one in shown if witness.anomaly.name in one.anomalies), None)


def _is_in_every_order(witness: Witness) -> bool:
    """Whether the server also hangs when the operations run one after the other, in every order."""
    serial = witness.schedule.serial if witness.schedule else ()
    ends = witness.anomaly.name is AnomalyName.HANG and bool(serial)
    return ends and all(UNANSWERED in outcome for _, outcome in serial)


def _happens(record: RoundRecord) -> list[str]:
    """One line an operation: who did what, and what it was told."""
    lines = []
    for index, operation in enumerate(record.plan.operations):
        told = [a for a in record.attempts if a.actor == index]
        if isinstance(operation, Send):
            told = [a for a in told if a.message == operation.message.key] or told
        replies = ", then on a retry ".join(reply_words(a) for a in told) or "not carried out"
        lines.append(f"{operation.key} {legible(operation.words)}: {legible(replies)}")
    return lines


def _told(record: RoundRecord) -> list[LogLine]:
    """The last log lines that tell of errors; where there are none, the last lines."""
    errors = [line for line in record.log if "level=error" in line.text or "level=fatal" in line.text]
    return (errors or list(record.log))[-LOG_LINES_MAX:]


def _rate(scenario: ScenarioResult) -> str:
    """How often it happened, in words that need nothing of mailrace."""
    looked = scenario.schedules
    if looked is None:
        return rate_words(scenario)
    classes = plural(looked.classes, "class")
    orders = f"{plural(looked.violating_orders, 'order')}; " if looked.violating_orders else ""
    return (
        "The orders of the server's SQL statements were walked one by one. A promise is broken in "
        f"{looked.violating:,} of {classes} of orders ({orders}the orders of a class differ only in "
        "neighbours that do not depend on each other)"
    )
