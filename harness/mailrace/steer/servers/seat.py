"""One actor of a run: its operation, where it goes, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailrace.actors import Conversation
from mailrace.actors.link import Link
from mailrace.model.attempt import Attempt
from mailrace.model.operation import Operation, Send
from mailrace.steer.servers.instance import Instance


@dataclass(slots=True)
class Seat:
    """One actor of a run: its operation, the instance it goes to, and its conversation."""

    index: int
    operation: Operation
    instance: Instance
    link: Link
    conversation: Conversation
    is_hung: bool = False

    @property
    def is_over(self) -> bool:
        """Its last reply byte was read, or it was given up on."""
        return self.conversation.is_over

    def release(self) -> None:
        """Write the last byte, now."""
        self.conversation.released(self.link.release())


def attempt_of(seat: Seat, round_index: int) -> Attempt:
    """The seat's operation as it went in the round of that index."""
    operation = seat.operation
    return seat.conversation.attempt(
        round_=round_index,
        actor=seat.index,
        operation=operation.key,
        message=operation.message.key if isinstance(operation, Send) else None,
        number=1,
    )


def unanswered(seats: list[Seat], dead: Sequence[Instance]) -> tuple[str, ...]:
    """What stayed unanswered: operations that hang, and the look at an instance that answered all else."""
    hung = [s for s in seats if s.is_hung]
    silent = [i for i in dead if i.index not in {s.instance.index for s in hung}]
    after = f" of instance {silent[0].index + 1}" if silent and len(seats) > 1 and len(dead) > 1 else ""
    looks = (f"a look at the server{after} afterwards",) if silent else ()
    return (*(s.operation.key for s in hung), *looks)
