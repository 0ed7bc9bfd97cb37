"""The List-Unsubscribe header, checked: which links it holds and what is wrong with it."""

import re

from mailrace.embedded.headers import Header


def unsubscribe(header: Header) -> dict[str, object]:
    """What `GET /message/ID` shows of it; blank where there is no such header."""
    value = header.text("List-Unsubscribe")
    if not value:
        return {"Header": "", "Links": [], "Errors": "", "HeaderPost": ""}
    links, errors = _links(value)
    post = header.text("List-Unsubscribe-Post")
    return {"Header": value, "Links": links, "Errors": errors, "HeaderPost": post}


def _links(value: str) -> tuple[list[str], str]:
    value = re.sub(r"\(.*?\)", "", value).strip()
    found = re.findall(r"<(.*?)>", value)
    if not found:
        return [], f'"{value}" no valid unsubscribe links found'
    if not (value.startswith("<") and value.endswith(">")):
        return [], f'"{value}" should be enclosed in <>'
    if len(found) > 2:
        return [], f'"{value}" should include a maximum of one email and one HTTP link'
    if any(not re.fullmatch(r"\s*,\s*", join) for join in re.findall(r">(.*?)<", value)):
        return [], f'"{value}" <> should be split with a comma and optional spaces'
    links: list[str] = []
    errors: list[str] = []
    for link in found:
        kind = "mailto" if link.startswith("mailto:") else "http" if re.match(r"(?i)https?://", link) else ""
        if not kind:
            errors.append(f'"{link}" should start with either http(s):// or mailto:')
        else:
            links.append(link)
    return links, ", ".join(errors)
