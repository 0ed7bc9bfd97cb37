"""`tag_ghost`: a tag is listed that no message holds."""

from collections.abc import Iterator

from mailrace.check.wording import finding
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions


def tag_ghost(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each listed tag of this round that none of its copies holds.

    Only tags with the round's token count. A message of another round, which this record does not show, may
    hold any other tag.
    """
    if record.stored is None:
        return
    held = {tag.lower() for copy in record.stored.messages for tag in copy.tags}
    token = record.plan.token.lower()
    copies = f"none of the round's {len(record.stored.messages)} copies"
    for tag in record.stored.tags:
        if token in tag.lower() and tag.lower() not in held:
            proof = f"the server lists tag {tag!r}, and {copies} holds it."
            yield finding(AnomalyName.TAG_GHOST, record, proof, tags=[tag])
