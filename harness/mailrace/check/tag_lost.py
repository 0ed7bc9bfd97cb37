"""`tag_lost`: an accepted message lacks a tag that it asked for."""

from collections.abc import Iterator, Sequence

from mailrace.check.evidence import Try, Unit, units_of
from mailrace.check.tags import asked_tags, tag_keys
from mailrace.check.wording import finding, tags_in_words, told, who
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord, StoredMessage
from mailrace.model.operation import ServerOptions


def tag_lost(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each copy of an accepted message without one of its tags, in the order of the plan.

    With ignore_duplicate_ids a copy must hold the tags of at least one accepted attempt of its Message-ID,
    whichever attempt stored it. So it shows when a refused attempt's untagged copy swallows its retry's tags.
    """
    for unit in units_of(record, options):
        for copy in _promised_copies(unit):
            lacking = [(t, _lacking(t, copy, options)) for t in unit.accepted]
            if lacking and all(tags for _, tags in lacking):
                one, tags = min(lacking, key=lambda pair: len(pair[1]))
                yield _finding(record, options, one, copy, tags)


def _promised_copies(unit: Unit) -> Sequence[StoredMessage]:
    """The copies of attempts that were not refused; where there are none, those of refused ones."""
    return [copy for t in unit.tries if not t.is_refused for copy in t.copies] or unit.copies


def _lacking(one: Try, copy: StoredMessage, options: ServerOptions) -> tuple[str, ...]:
    held = tag_keys(copy.tags)
    return tuple(tag for tag in asked_tags(one.message, options) if tag.lower() not in held)


def _finding(
    record: RoundRecord, options: ServerOptions, one: Try, copy: StoredMessage, lost: tuple[str, ...]
) -> Anomaly:
    asked = tags_in_words(asked_tags(one.message, options))
    return finding(
        AnomalyName.TAG_LOST,
        record,
        f"{who(record, one.attempt)} {told(record, one.attempt)} and asked for {asked}; "
        f"its copy, ID {copy.id}, holds {tags_in_words(copy.tags)}, so {tags_in_words(lost)} "
        f"{'is' if len(lost) == 1 else 'are'} lost.",
        message=one.message.key,
        attempts=[one.attempt.number],
        copies=[copy],
        tags=lost,
    )
