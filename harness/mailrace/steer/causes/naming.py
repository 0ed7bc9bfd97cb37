"""Bad ends of a view in, root causes with stable names out, the worst first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailrace.model.consequences import HARMS, Harm, consequence, in_order
from mailrace.steer.causes.no_return import Decisive, decisive
from mailrace.steer.causes.sql import shape_of
from mailrace.steer.causes.view import View


@dataclass(frozen=True, slots=True)
class Origin:
    """What makes a bad end bad: the key by which ends fall together to one cause.

    pair    the two decisive steps; None where no graph says which
    worst   the gravest anomaly of the end; `harm`: what it damages
    """

    worst: str
    harm: Harm
    kinds: tuple[str, ...]
    pair: Decisive | None

    @property
    def name(self) -> str:
        """What breaks, what came too early, what too late: `tag_lost/delete.select-tags/send.insert-tags`.

        Of the statements it holds what they do to which table, so that it lives through a rewording.
        """
        if self.pair is None:
            return "/".join([self.worst, *sorted(self.kinds)])
        each = (self.pair.early, self.pair.late)
        return "/".join([self.worst, *(f"{kind}.{shape_of(label.template)}" for kind, label in each)])


def origin_of(
    view: View | None, end: int | None, names: Iterable[str], kinds: tuple[str, ...], *, is_reply_only: bool
) -> Origin:
    """Of one bad end. `is_reply_only`: replies fit no serial order, and nothing in the store is wrong."""
    worst = in_order(names)[0]
    harm = Harm.REPLY if is_reply_only else consequence(worst).harm
    pair = None if view is None or end is None else decisive(view, end)
    return Origin(worst, harm, kinds, pair)


def by_harm(origins: Mapping[Origin, object]) -> list[Origin]:
    """The origins, the worst first; those of one harm by their names."""
    return sorted(origins, key=lambda origin: (HARMS.index(origin.harm), origin.name))
