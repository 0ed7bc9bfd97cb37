"""Prints results as a person reads them: the table of results, a proof of each RACE, the conclusion."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mailrace.cli.request import Manner
from mailrace.cli.screen import Screen
from mailrace.model.errors import OutputError
from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.report import Study, render_index, to_json
from mailrace.report.conclusion import Conclusion, conclusion
from mailrace.report.words import grouped, rate_words
from mailrace.run import Run
from mailrace.steer import columns
from mailrace.verdict import exit_status

ALL = Manner()
"""Everything is told; of things that are alike, only the first ones."""
STYLE = {
    Verdict.PASS: "bold green",
    Verdict.RACE: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.FAILED: "bold magenta",
    Verdict.NOT_APPLICABLE: "dim",
}
NOTES_MAX = 4
"""So many sentences on what was not looked at are shown without `-v`."""
AGAIN = "Again: "
"""Stands before a command among the details of a study; such a line stays whole, so that it can be copied."""
SCHEDULE_WIDTH = 100
"""The width of a schedule's columns where there is no terminal."""


def outcome(result: RunResult, folder: Path, manner: Manner = ALL) -> None:
    """A run on stdout: the results, a proof of each RACE, what was not looked at, the conclusion."""
    screen = Screen()
    shown: list[str] = []
    results(screen, result.scenarios)
    for one in result.scenarios:
        for witness in one.witnesses if manner.verbose else one.witnesses[:1]:
            screen.text()
            screen.text(witness.anomaly.proof)
            for line, meaning in witness.explained[:3]:
                screen.text(f"its log: {line}", indent="  ")
                screen.text(f"which means: {meaning}", indent="  ")
            if witness.schedule is not None:
                screen.block(columns(witness.schedule, width=screen.width or SCHEDULE_WIDTH))
            screen.line(f"  again: {witness.replay}")
            shown.append(witness.replay)
    not_covered(screen, result, manner)
    end_with(screen, result.verdict, conclusion(result), shown)
    if (page := folder / "report.html").is_file():
        screen.line(f"report: {page}")


def results(screen: Screen, scenarios: Sequence[ScenarioResult]) -> None:
    """Two lines for each scenario: verdict, name, what was seen; below, its anomalies and its control."""
    width = max((len(one.verdict) for one in scenarios), default=0) + 2
    screen.text()
    for one in scenarios:
        from rich.text import Text

        head = Text.assemble((one.verdict.value.ljust(width), STYLE[one.verdict]), one.name)
        screen.console.print(head)
        below = [hits(one)] if len(scenarios) > 1 or one.rounds or one.schedules else []
        below += [f"{name} {count}" for name, count in one.anomalies.items()]
        if one.control:
            control = f"{one.control.target}, {one.control.scenario}"
            below.append(
                f"control ({control}) fired in {one.control.pairs_fired} of {one.control.pairs} pairs"
            )
        if below:
            screen.text("; ".join(below), indent=" " * width)


def hits(one: ScenarioResult) -> str:
    """`47 of 99 rounds (47.5 %; 37.3–57.8 % with 95 % confidence)`, or classes, or why there is neither."""
    if not one.rounds and (one.schedules is None or one.verdict is Verdict.FAILED):
        return one.reason
    return rate_words(one)


def not_covered(screen: Screen, result: RunResult, manner: Manner) -> None:
    """What would help, and what was not looked at: each sentence once, with its scenarios."""
    many = len(result.scenarios) > 1
    advice = grouped([(one.name, one.advice) for one in result.scenarios if one.advice])
    notes = grouped(
        [(one.name, said) for one in result.scenarios for said in one.not_looked if said not in one.reason]
    )
    # Single rounds are left out, because the conclusion counts all lost rounds.
    few = [note for note in notes if not re.match(r"round \d+", note[1])][:NOTES_MAX]
    shown = notes if manner.verbose else few
    if advice or shown:
        screen.text()
    for names, said in advice:
        screen.text(f"What would help{f' ({names})' if many else ''}: {said}")
    for names, said in shown:
        screen.text(f"Not looked at{f' ({names})' if many else ''}: {said}")
    left = len(notes) - len(shown)
    if left:
        screen.text(f"{left} more of what was not looked at: with -v, and in the report.")


def end_with(screen: Screen, verdict: Verdict | None, told: Conclusion, shown: Sequence[str] = ()) -> None:
    """The conclusion of a command: what was counted, each anomaly explained once, and the next commands.

    verdict   None for a command that has none
    shown     commands that were printed above, and are not printed again
    """
    if verdict is not None or told.counted:
        screen.text()
    if verdict is not None:
        screen.text(f"{verdict}", style=STYLE[verdict])
    for sentence in told.counted:
        screen.text(sentence)
    for one in told.explained:
        screen.text()
        screen.text(f"{one.anomaly} ({one.harm}), {one.seen}:")
        for sentence in (one.meaning, *one.known, f"What to do: {one.remedy}"):
            screen.text(sentence, indent="  ")
    commands = [command for command in told.commands if command.text not in shown]
    if commands:
        screen.text()
    for command in commands:
        screen.text(f"{command.purpose}:")
        screen.line(f"  {command.text}")


def show_study(study: Study, folder: Path, manner: Manner) -> None:
    """Print the answer to a question of many runs: table, proofs, conclusion, and where its page is."""
    if manner.quiet:
        print(study.verdict)
        return
    screen = Screen()
    screen.text()
    screen.table(study.header, study.lines)
    for text in study.details:
        screen.text()
        screen.line(text) if text.startswith(AGAIN) else screen.text(text)
    told = replace(study.told, counted=(study.headline, *study.told.counted))
    end_with(screen, study.verdict, told, [text.removeprefix(AGAIN) for text in study.details])
    if (page := folder / f"{study.kind}.html").is_file():
        screen.line(f"report: {page}")


def finish(done: Run, manner: Manner) -> int:
    """Say what a run found, as asked, and bring the page over all runs up to date; the exit status."""
    renew_index(done.folder.parent)
    if manner.as_json:
        write_json(to_json(done.result))
    elif manner.quiet:
        print(done.result.verdict)
    else:
        outcome(done.result, done.folder, manner)
    return exit_status(one.verdict for one in done.result.scenarios)


def renew_index(reports: Path) -> None:
    """Bring the page over all runs up to date; a verdict does not hang on it, so what fails is only said."""
    if (reports / "latest").is_symlink():
        try:
            render_index(reports)
        except OutputError as wrong:
            Screen(sys.stderr).text(f"mailrace: {wrong}")


def write_json(text: str) -> None:
    """A document on stdout, in UTF-8 whatever the locale is, as JSON must be (RFC 8259, 8.1)."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass") + (b"" if text.endswith("\n") else b"\n"))
    sys.stdout.buffer.flush()
