"""A To header, or the JSON of a mail's recipients, in; what a search for an address can find in it out."""

import re

ADDRESSES_MAX = 100
_ADDRESS = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+")


def addresses_in(header: str) -> tuple[str, ...]:
    """All in a To header that looks like an address, and "*" where it holds more than is told."""
    found = tuple(dict.fromkeys(one.lower() for one in _ADDRESS.findall(header)))
    is_all = "=?" not in header and len(found) <= ADDRESSES_MAX
    return found if is_all else (*found[:ADDRESSES_MAX], "*")
