"""Executions in, each actor's program out: which statement it sends next, given what it was told so far.

An actor is sequential and sees the store through answers only, so its next statement is a function of the
answers it had. Explored schedules stand for all schedules up to exchanging independent neighbours, which
changes no answer: together they hold every program that any schedule can run. Server IDs are random, so
they are replaced by names throughout.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mailrace.steer.database_proxy.executions import Execution, TakenStep
from mailrace.steer.database_proxy.independence import is_rollback
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.rqlite import Answer, Call, Done, Failed, Rows
from mailrace.steer.database_proxy.statement_text import Names

History = tuple[str, ...]
"""What an actor was told by each of its steps so far, canonical."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """The next step of an actor: its calls with names for IDs, and its text as it compares between runs.

    is_late   it comes behind the reply
    after_s   it never came sooner after its actor was told something, or was released
    told   what it was told when it was seen. A transaction's later statements follow from the answers to
           its first, so a step of several calls stands only for where it is told the same
    """

    calls: tuple[Call, ...]
    text: str
    is_rolled_back: bool = False
    told: str = ""
    is_late: bool = False
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Programs:
    """One tree an actor: history to next step; a history without one is the actor's end.

    A step of one call is known by its history; of several there may be variants, by what they were told.

    conflicts   how often an actor went on, or ended, otherwise though it had been told the same before
    differing   the first such time, in words
    """

    variants: Mapping[tuple[int, History], Sequence[PlannedStep]]
    endings: Mapping[tuple[int, History], str]
    conflicts: int = 0
    differing: str = ""

    @property
    def texts(self) -> frozenset[str]:
        """Of every statement that some actor sends."""
        steps = (step for variants in self.variants.values() for step in variants)
        return frozenset(sql for step in steps for sql, _ in step.calls)

    def last(self, actor: int, history: History) -> PlannedStep:
        """The step that ended the history."""
        known = self.variants[actor, history[:-1]]
        return next((p for p in known if p.told == history[-1]), known[0])


@dataclass(slots=True)
class Learner:
    """Takes in executions one by one; gives what they show of the actors' `programs`."""

    variants: dict[tuple[int, History], list[PlannedStep]] = field(default_factory=dict)
    endings: dict[tuple[int, History], str] = field(default_factory=dict)
    conflicts: int = 0
    differing: str = ""

    def learn(self, steps: Iterable[TakenStep], names: Names, endings: Mapping[int, str]) -> None:
        """Take in one execution; `endings`: reply classes of the actors that came to their end."""
        histories: dict[int, History] = dict.fromkeys(endings, ())
        for step in steps:
            history = histories.get(step.actor, ())
            seen = planned(step, names)
            known = self.variants.setdefault((step.actor, history), [])
            alike = [p for p in known if len(p.calls) == len(seen.calls) == 1 or p.told == seen.told]
            if other := next((p for p in alike if p.text != seen.text), None):
                self.conflicts += 1
                self.differing = self.differing or f"`{seen.text}` where it had sent `{other.text}`"
            if not known or (len(seen.calls) > 1 and seen.told not in {p.told for p in known}):
                known.append(seen)
            # How soon it comes tells a server that is slow there from a machine that was busy once.
            known[:] = [p if p.after_s <= seen.after_s else replace(p, after_s=seen.after_s) for p in known]
            histories[step.actor] = (*history, seen.told)
        for actor, ending in endings.items():
            self.conflicts += self.endings.setdefault((actor, histories[actor]), ending) != ending
            self.conflicts += bool(ending) and (actor, histories[actor]) in self.variants

    def see(self, execution: Execution) -> None:
        """Take in a whole execution."""
        endings = {a.actor: a.reply_class for a in execution.record.attempts}
        self.learn(execution.steps, execution.names, endings)

    def programs(self) -> Programs:
        """What was learnt so far, as a value of its own."""
        variants = {key: tuple(steps) for key, steps in self.variants.items()}
        return Programs(
            MappingProxyType(variants), MappingProxyType(dict(self.endings)), self.conflicts, self.differing
        )


def planned(step: TakenStep, names: Names) -> PlannedStep:
    """The step as it can be run again without its server."""
    calls = tuple(names.in_graph(call) for s in step.statements for call in s.calls)
    is_rolled_back = any(is_rollback(sql) for sql, _ in calls)
    is_late = step.statements[0].is_late
    heard_of_it = told(step.statements, names)
    return PlannedStep(calls, step.call, is_rolled_back, heard_of_it, is_late, step.after_s)


def told(statements: Iterable[Statement], names: Names) -> str:
    """What a step's statements were told, with names for IDs."""
    return "; ".join(heard(answer, names) for s in statements for answer in s.answers)


def heard(answer: Answer, names: Names) -> str:
    """One answer as its client hears it: rows, a count, or an error; never the last inserted rowid."""
    match answer:
        case Rows():
            shown = [[names.whole(v) for v in row] for row in answer.rows]
            # IDs are drawn at random, and a server may ask for rows by them: of rows with the ID of what
            # this run stored the order says nothing. Were it to matter, an actor that was told the same
            # would go on otherwise, which is counted among the conflicts.
            drawn = set(names.by_sender.values())
            is_drawn = any(drawn.intersection(row) for row in shown)
            return str(sorted(shown) if is_drawn else shown)
        case Done():
            return f"{answer.rows_affected} rows"
        case Failed():
            return f"error: {answer.text}"
