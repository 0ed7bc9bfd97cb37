"""Sections: between which two of an actor's steps one instance let another's step, or kept it out."""

from collections import Counter
from dataclasses import dataclass, field

from mailrace.steer.explore.graph import Node
from mailrace.steer.one_instance.scheduler import step_text


@dataclass(frozen=True, slots=True)
class Section:
    """Whether one instance let another's step between two of an actor's: by texts, arguments left out."""

    before: str
    after: str
    other: str


def section_of(before: Node, node: Node, last: int, other: int) -> Section:
    """The section at `node` between `last`'s step from `before` and its next one, for `other`'s next."""
    return Section(step_text(before, last), step_text(node, last), step_text(node, other))


@dataclass(slots=True)
class Sections:
    """What was seen in all runs so far.

    entered    sections that the waiting actor was let into
    together   sections that it was kept out of though all was quiet, and how often: a transaction, or a lock
    doubtful   sections before which others get some time to queue up
    """

    entered: set[Section] = field(default_factory=set)
    together: Counter[Section] = field(default_factory=Counter)
    doubtful: frozenset[Section] = frozenset()

    def note(
        self, node: Node, actor: int, others: list[int], previous: tuple[int, Node], *, is_patient: bool
    ) -> None:
        """Of two actors `actor`'s step came at `node`, after the `previous` one, while the other was queued.

        previous   the actor of the step before, and the state before that
        others     who is under way apart from `actor`
        is_patient what is sent behind a reply had time to come before the step went out
        """
        last, before = previous
        other = 1 - last
        # What is sent behind a reply may come later than quiet: that it has not come is no sign of a lock.
        is_queued = other in others and (
            is_patient or other not in node.steps or not node.steps[other].is_late
        )
        if actor == other or is_queued:
            self.saw(before, node, last, other, is_let_in=actor == other)

    def saw(self, before: Node, node: Node, last: int, other: int, *, is_let_in: bool) -> None:
        """Between `last`'s step from `before` and its next at `node` the other could go on, or could not."""
        if last not in node.steps or other not in before.steps or other not in node.steps:
            return
        section = section_of(before, node, last, other)
        if is_let_in:
            self.entered.add(section)
        else:
            self.together[section] += 1

    def is_doubtful(self, node: Node, actor: int, others: list[int]) -> bool:
        """Whether the actor's step at `node` opens a section that is to be looked at with patience."""
        after = node.edges[actor]
        return actor in after.steps and any(
            o in after.steps and section_of(node, after, actor, o) in self.doubtful for o in others
        )
