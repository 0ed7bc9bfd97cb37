"""Takes a foreign server and a run's token; gives what the run left there, and removes it on request.

Only mails with a recipient in a domain of the run, and tags that name the run, are ever touched.
"""

import re
from dataclasses import dataclass

from mailrace.model.errors import UsageError
from mailrace.model.phrases import plural
from mailrace.targets.api import Api

_TOKEN = re.compile(r"mr[a-z0-9]{5,8}")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Server IDs of a run's mails, and the names of its tags."""

    ids: tuple[str, ...]
    tags: tuple[str, ...]

    def __str__(self) -> str:
        return f"{plural(len(self.ids), 'mail')} and {plural(len(self.tags), 'tag')}"


def leftovers(api: Api, token: str) -> Leftovers:
    """What is there of all lanes whose run tokens begin so: raced mail and sentinels. Raises ApiError.

    `token` is a run's, without the part that tells its scenarios and lanes apart. Raises UsageError where it
    does not look like one: it may come from anybody's file, and a shorter one would name mail of others.
    """
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            f"{token!r:.40}: no run of ours is called so; nothing of it can be told from other mail"
        )
    domain = re.compile(rf"@(s\.)?{re.escape(token)}[0-9a-z]{{0,3}}\.test$")
    ids: dict[str, None] = {}
    for query in (f"to:@{token}", f"to:@s.{token}", f"bcc:@{token}"):
        for page in api.pages(query):
            # A search matches substrings and wildcards, so each row is looked at again.
            ids.update(
                (row.id, None)
                for row in page.messages
                if any(domain.search(address) for address in (*row.to, *row.cc, *row.bcc))
            )
    return Leftovers(tuple(ids), tuple(tag for tag in api.tags() if token in tag.lower()))


def remove(api: Api, found: Leftovers) -> Leftovers:
    """Delete these mails, one a request, then what is left of these tags; what was removed. Raises ApiError.

    A repeated or stale ID beside a live one hangs servers up to 1.30.6 for good (Mailpit issue 723), so no
    request ever names two. The server prunes tags that no mail holds by itself; the others are deleted.
    """
    for row_id in found.ids:
        api.delete([row_id])
    for tag in set(found.tags) & set(api.tags()):
        api.delete_tag(tag)
    return found
