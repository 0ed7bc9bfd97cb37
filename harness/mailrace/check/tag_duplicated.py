"""`tag_duplicated`: a message holds one tag twice."""

from collections import Counter
from collections.abc import Iterator

from mailrace.check.evidence import copies_with_message
from mailrace.check.wording import about_copy, tags_in_words, times
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions
from mailrace.model.phrases import listed


def tag_duplicated(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each copy with a tag that stands on it more than once.

    Stored names are the server's own, so they are compared as they are, only without case. To cut them as
    `clean_tag` does could make two long tags one.
    """
    for copy, _ in copies_with_message(record):
        counts = Counter(tag.lower() for tag in copy.tags)
        twice = tuple(tag for tag, number in counts.items() if number > 1)
        if twice:
            how_often = listed([f"{tag!r} {times(counts[tag])}" for tag in twice])
            held = f"holds {tags_in_words(copy.tags)}: {how_often}, where a message can hold a tag only once."
            yield about_copy(AnomalyName.TAG_DUPLICATED, record, copy, held, tags=twice)
