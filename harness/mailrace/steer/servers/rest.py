"""A rig and what its store's tables hold in, whether the server shows the same over REST out."""

from dataclasses import replace

from mailrace.model.attempt import Stored
from mailrace.model.errors import MailraceError
from mailrace.steer.servers.rig import Rig


def rest_differs(rig: Rig, own: Stored | None) -> str:
    """How REST differs from the store as it was read at the proxy, in words; "" where both agree.

    Schedules are judged by the tables, which take no request. What users see comes by REST, so it is asked
    for after the serial orders and after each realisation.
    """
    if own is None:
        return "the store was not read"
    try:
        with rig.loop.in_background():
            shown = rig.instances[0].target.stored("")
    except MailraceError as wrong:
        return f"REST could not be read: {wrong}"
    rows = {replace(row, source=None) for row in own.messages}
    if (set(shown.messages), set(shown.tags)) != (rows, set(own.tags)):
        return "REST showed another store than was read at the proxy"
    return ""
