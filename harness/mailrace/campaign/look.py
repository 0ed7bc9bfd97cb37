"""Takes a cell; looks at it in this process, with servers of its own, and gives its outcome.

It uses the same code as the commands themselves. Where a text names this machine's temporary folder, it gets
a placeholder that the caller replaces by its own folder.
"""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from math import inf
from pathlib import Path

from mailrace import __version__
from mailrace.campaign.cell import BYTES_MAX, FILES, Cell, Outcome, Sent, unpacked
from mailrace.campaign.machine import host
from mailrace.history import read_plan
from mailrace.history.plan import MAILS, PLAN
from mailrace.model.errors import MailraceError, TargetError, UsageError
from mailrace.model.operation import ServerOptions
from mailrace.model.request import Output, RunRequest
from mailrace.model.result import Verdict
from mailrace.model.target import TargetInfo
from mailrace.model.time_limit import CUT_OFF, TimeOver, over_by
from mailrace.race import ChosenControl
from mailrace.report import to_json
from mailrace.run import run
from mailrace.scenario import Scenario, scenario_from
from mailrace.session import PROXY_ADDRESS
from mailrace.studies.gate import GateRequest, run_gate
from mailrace.studies.survey.relations import pairs
from mailrace.studies.survey.run import Surveyor
from mailrace.studies.survey.state import Header, State
from mailrace.targets import TargetName, belongings, install, open_target, why_not
from mailrace.targets.mailpit import programs

Tell = Callable[[str], None]
Alone = Callable[[], AbstractContextManager[None]]


def run_token(cell: Cell) -> str:
    """The placeholder for the folder of the command's run, whose name only the caller knows."""
    return f"cell-{cell.key}"


def file_token(cell: Cell) -> str:
    """The placeholder for the folder of the scenario's file."""
    return f"from-{cell.key}"


def look(sent: Sent, tell: Tell = lambda _: None, alone: Alone = nullcontext) -> Outcome:
    """What comes of the cell. Why it could not be looked at is part of the outcome, never raised.

    alone   is entered where rounds are raced natively
    """
    cell, began = sent.cell, time.monotonic()
    ends = None if sent.left_s is None else began + sent.left_s
    said = Outcome(key=cell.key, host=host())
    place = belongings.private_folder()
    # Before any server starts: is this the caller's question, and can it be asked here?
    try:
        if cell.mailrace != __version__:
            why = f"{host()} has mailrace {__version__}, and the campaign is of {cell.mailrace}"
            return replace(said, why=why, step=f"install mailrace {cell.mailrace} there")
        targets = _came(cell, place)
        if (lack := _lack(cell, targets, ends, tell)) is not None:
            why, step = lack
            return replace(said, why=why, step=step)
        verdict = _looked(sent, place, ends, tell, alone)
        files, notes = _files(cell, place)
        is_whole = verdict is not Verdict.FAILED and (ends is None or time.monotonic() < ends)
        return replace(
            said, files=files, notes=notes, is_whole=is_whole, seconds=round(time.monotonic() - began, 3)
        )
    except TimeOver:
        return replace(said, why=CUT_OFF, is_whole=False)
    except MailraceError as wrong:
        return replace(said, why=str(wrong)[:4_000])
    finally:
        belongings.remove_folder(place)


def _came(cell: Cell, place: Path) -> tuple[TargetName, ...]:
    """Write the files that came along with the cell into its folder; gives the targets."""
    (place / PLAN).write_text(cell.plan, encoding="utf-8")
    for folder, held in ((MAILS, cell.mails), ("from", cell.beside)):
        (place / folder).mkdir()
        for name, content in unpacked(held).items():
            path = Path(os.path.normpath(place / folder / name))
            if not path.is_relative_to(place / folder):
                raise UsageError(f"a cell of a campaign: {name!r:.80} leads out of its folder")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except (OSError, ValueError):
                raise UsageError(f"a cell of a campaign: {name!r:.80} is no name of a file") from None
    return read_plan(place).targets


def _lack(
    cell: Cell, targets: tuple[TargetName, ...], ends: float | None, tell: Tell
) -> tuple[str, str] | None:
    """Why this machine cannot look at the targets, and what would help; None where it can."""
    for target in targets:
        reason = why_not(target)
        if reason and target.kind == "mailpit":
            try:
                with over_by(ends):
                    install(target.version, progress=tell)
                reason = ""
            except TargetError as wrong:
                reason = str(wrong)
        if reason:
            there = f"`mailrace install {target.version}`" if target.kind == "mailpit" else "it"
            return f"{host()} has no {target}: {reason}", f"put {there} on that machine"
    # The same path may name another program here, whose verdict would pass for that of the caller's.
    if programs(targets) != dict(cell.programs):
        names = ", ".join(cell.programs)
        return (
            f"{names} is another program on {host()} than where the campaign was called",
            "name a version (mailpit@VERSION), or put the same program there",
        )
    return None


def _looked(sent: Sent, place: Path, ends: float | None, tell: Tell, alone: Alone) -> Verdict | None:
    """Look at the cell, leaving its files in its folder; gives its verdict, which a survey's cell has not."""
    cell, plan = sent.cell, read_plan(place)
    output = Output(out=place / "run", formats=())
    request = replace(plan.request, time_limit_s=sent.left_s, ends=ends, output=output)
    if cell.kind == "look":
        return run([_scenario(cell, place)], request, _Telling(tell), alone=alone).result.verdict
    if cell.kind == "gate":
        return _gate(cell, place, plan.targets, request, _Telling(tell), alone)
    _pairs(sent, plan.targets[0], place / "run", ends, tell)
    return None


def _gate(
    cell: Cell,
    place: Path,
    targets: tuple[TargetName, ...],
    request: RunRequest,
    listener: "_Telling",
    alone: Alone,
) -> Verdict:
    asked = GateRequest(old=targets[0], new=targets[1], run=request, mode=cell.mode)
    done = run_gate([_scenario(cell, place)], asked, listener=listener, tell=listener.said, alone=alone)
    done.folder.mkdir(exist_ok=True)
    (done.folder / "gate.json").write_text(to_json(done.gate), encoding="utf-8")
    return done.gate.verdict


def _pairs(sent: Sent, target: TargetName, folder: Path, ends: float | None, tell: Tell) -> None:
    """Decide pairs of a survey, or show a cause by one of them; what is found is in the folder's state."""
    by_name = {pair.name: pair for pair in pairs()}
    if strange := [name for name in sent.cell.pairs if name not in by_name]:
        raise UsageError(f"a cell of a survey: {strange[0]!r:.120} is no pair of operations")
    wanted = [by_name[name] for name in sent.cell.pairs]
    version = open_target(target, ServerOptions(), database=PROXY_ADDRESS).info.version
    state = State(folder, Header.of(target, version, sent.cell.pairs))
    surveyor = Surveyor(target, state, folder, inf if ends is None else ends, tell)
    # Causes that earlier pairs have shown need not be shown again; the caller would not take them.
    surveyor.known = frozenset(sent.known)
    try:
        if sent.cell.kind == "decide":
            surveyor.decide(wanted)
        else:
            surveyor.show(sent.cell.cause, wanted)
    except TargetError as wrong:
        # Pairs that were decided before the server failed stay decided.
        if not state.found:
            raise
        tell(str(wrong))
    finally:
        surveyor.stop()


def _scenario(cell: Cell, place: Path) -> Scenario:
    """The cell's scenario, whose file would stand beside the files that came along."""
    (one,) = read_plan(place).scenarios
    mails = unpacked(cell.mails)
    if set(one.mails.values()) - set(mails):
        raise UsageError("a cell of a campaign: a message that its scenario sends did not come along")
    held = {name: mails[digest] for name, digest in one.mails.items() if digest in mails}
    return scenario_from(one.data, place / "from" / Path(one.file).name, held, reach="anywhere")


def _files(cell: Cell, place: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """The texts that the cell left and that may travel, and a sentence on each that may not."""
    found, notes, left = {}, [], BYTES_MAX
    names = {os.path.relpath(place / "run"): run_token(cell), str(place / "run"): run_token(cell)}
    names |= {os.path.relpath(place / "from"): file_token(cell), str(place / "from"): file_token(cell)}
    for name in FILES[cell.kind]:
        path = place / "run" / name
        if not path.is_file():
            continue
        if path.stat().st_size > left:
            notes.append(f"{name} of {path.stat().st_size:,} bytes is too long to travel, and is lost")
            continue
        text = path.read_bytes().decode("utf-8", "backslashreplace")
        for here, token in names.items():
            text = text.replace(here, token)
        left -= len(text)
        found[name] = text
    shutil.rmtree(place / "run", ignore_errors=True)
    return found, tuple(notes)


class _Telling:
    """Tells how a run goes on, a sentence at a time."""

    def __init__(self, tell: Tell) -> None:
        self.said = tell

    def began(self, scenario: Scenario, target: TargetInfo, control: ChosenControl | None) -> None:
        self.said(f"{target.name}{f', control {control.target}' if control else ''}")

    def progressed(self, done: int, rounds: int, hits: int, control_hits: int) -> None:
        self.said(f"round {done} of {rounds}, hits {hits}, of the control {control_hits}")

    def ended(self, result: object) -> None:
        pass
