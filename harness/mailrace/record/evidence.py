"""One occurrence of a hazard."""

from dataclasses import dataclass

from mailrace.record.recorded import Recorded


@dataclass(frozen=True, slots=True)
class Evidence:
    """One occurrence: what was seen, in a sentence, and the operations that show it."""

    sentence: str
    operations: tuple[Recorded, ...]
