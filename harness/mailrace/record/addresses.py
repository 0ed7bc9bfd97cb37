"""Takes a To header, or JSON of a mail's recipients; gives what a search for an address finds in it."""

import re

ADDRESSES_MAX = 100
_ADDRESS = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+")


def addresses_in(header: str) -> tuple[str, ...]:
    """All that looks like an address in a To header, and "*" where the header holds more than that."""
    found = tuple(dict.fromkeys(one.lower() for one in _ADDRESS.findall(header)))
    is_all = "=?" not in header and len(found) <= ADDRESSES_MAX
    return found if is_all else (*found[:ADDRESSES_MAX], "*")
