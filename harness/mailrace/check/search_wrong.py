"""`search_wrong`: a search for words of one mail misses it, or finds another."""

from collections.abc import Iterator

from mailrace.check.wording import copies_in_words, finding
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import FILLER, Message, ServerOptions
from mailrace.model.phrases import listed


def search_wrong(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each search that did not find exactly the listed copies of the message it is for."""
    if record.stored is None:
        return
    for search in record.stored.searches:
        copies = [copy for copy in record.stored.messages if copy.key == search.key]
        missed = [copy for copy in copies if copy.id not in search.ids]
        others = [row_id for row_id in search.ids if row_id not in {copy.id for copy in copies}]
        wrong = [f"does not find {copies_in_words(missed)}"] if missed else []
        wrong += [f"finds {listed([f'ID {row_id}' for row_id in others])}, which does not hold them"] * bool(
            others
        )
        if wrong:
            yield finding(
                AnomalyName.SEARCH_WRONG,
                record,
                f"a search for words that only this message holds, {search.query!r}, {listed(wrong)}.",
                message=search.key,
                copies=missed,
            )


def words_of(message: Message) -> str:
    """A search for words that only this message holds: where its text is long enough, words of the text."""
    if message.file_sha256 is not None or message.first_words != message.key:
        return f'"{message.sender}"'
    words = FILLER.split()[:2]
    is_long_enough = message.body_bytes >= len(message.key) + 4 + len(FILLER)
    return f'"{" ".join((message.key, *words)).lower()}"' if is_long_enough else f'"{message.sender}"'
