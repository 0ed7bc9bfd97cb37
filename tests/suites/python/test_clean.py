"""A suite that does everything right: one address a test, searched by it, deleted by that search."""

import pytest
from mail_suite import address, api, search, send


@pytest.mark.parametrize("number", range(24))
def test_a_mail_arrives_and_is_taken_away(number: int) -> None:
    to = address(f"clean{number}")
    send(to, tags=to.partition("@")[0])
    (row,) = search(f'to:"{to}"')
    assert api("GET", f"/message/{row['ID']}").json()["Subject"] == "hello"
    assert api("DELETE", "/search", params={"query": f'to:"{to}"'}).status_code == 200
