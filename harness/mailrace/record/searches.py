"""Takes a recorded search; tells whether it certainly finds a mail, certainly does not, or neither.

Only recipients, sender, Message-ID and tags of a mail are known. Where a search asks for anything else, it is
open whether it finds the mail, and nothing is claimed.
"""

import re
from functools import lru_cache

from mailrace.check.tags import tag_keys
from mailrace.check.touched import terms
from mailrace.record.recorded import Recorded

_WILDCARDS = re.compile(r"[%_]")


class Search:
    """One query, taken apart once. Mailpit compares parts of words without case; all terms must be met."""

    def __init__(self, query: str) -> None:
        self._terms = terms(query)

    def surely_finds(self, sent: Recorded) -> bool:
        """Whether it finds the mail, as long as that is stored with what it asked for."""
        return bool(self._terms) and all(self._is_met(*term, sent) for term in self._terms)

    def never_finds(self, sent: Recorded) -> bool:
        """Whether it cannot find the mail, which lacks an address or an ID that it asks for."""
        return any(self._is_unmet(*term, sent) for term in self._terms)

    def names(self) -> frozenset[str]:
        """The whole addresses, or their parts before the @, that it asks for by `to:` and the like."""
        wanted = (
            value.strip("@ ")
            for is_negated, field, value in self._terms
            if not is_negated and (field in ("to", "bcc", "cc", "addressed") or (not field and "@" in value))
        )
        return frozenset(one for one in wanted if len(one) > 2)

    def tags(self) -> frozenset[str]:
        """The tags that it asks for."""
        return tag_keys(
            value for is_negated, field, value in self._terms if field == "tag" and not is_negated
        )

    def _is_met(self, is_negated: bool, field: str, value: str, sent: Recorded) -> bool:
        if is_negated:
            return False  # nor by a tag, which the mail may have lost or been given meanwhile
        known = _known(field, sent)
        return known is not None and value in known

    def _is_unmet(self, is_negated: bool, field: str, value: str, sent: Recorded) -> bool:
        if is_negated or _WILDCARDS.search(value.replace("_", "") if "@" in value else value):
            return False
        if field == "to":
            # A name beside an address holds no address that is not in `to` as well.
            if "@" not in value or "*" in sent.to:
                return False
            known = " ".join((*sent.to, *sent.recipients)).lower()
        elif field == "message-id" and sent.message_id:
            known = sent.message_id.lower()
        else:
            return False
        # Older releases take `_` for any character.
        return re.search(re.escape(value).replace("_", "."), known) is None


def _known(field: str, sent: Recorded) -> str | None:
    """The part of the mail that the field is certainly compared with; None where that is not known."""
    if field == "to":
        return " ".join(set(sent.to) & {one.lower() for one in sent.recipients})
    if field == "from":
        return None  # the header's sender may be another than the envelope's
    if field == "message-id":
        return sent.message_id.lower()
    return None


@lru_cache(maxsize=4096)
def search_of(query: str) -> Search:
    """The query taken apart; the same one is often asked again."""
    return Search(query)
