"""The other of two files that run at the same time; see test_left.py."""

from mail_suite import address, api, meet, search, send

SHARED = "shared@suite.test"


def test_shares_a_recipient_a_tag_and_a_message_id() -> None:
    meet("shared-sent", is_first=False)
    send(SHARED, tags="shared-tag", message_id="<same@suite.test>")
    assert search(f'to:"{SHARED}"')
    meet("shared-sent-too", is_first=False)


def test_sends_while_the_other_counts() -> None:
    meet("counted", is_first=False)
    send(address("counted"))
    meet("one-more", is_first=False)


def test_sends_what_the_other_deletes() -> None:
    send(address("unread"))
    meet("unread-sent", is_first=False)
    meet("emptied", is_first=False)
    send(address("after"))


def test_reads_what_the_other_has_deleted() -> None:
    meet("found", is_first=False)
    (row,) = search("to:taken-")
    meet("found-too", is_first=False)
    meet("gone", is_first=False)
    assert api("GET", f"/message/{row['ID']}").status_code == 404
    api("DELETE", "/messages", json={"IDs": [row["ID"]]})


def test_has_a_tag_of_its_own() -> None:
    send(address("tagged"), tags="of-the-right")
    meet("tagged", is_first=False)
    meet("untagged", is_first=False)
    assert not search("tag:of-the-right")
