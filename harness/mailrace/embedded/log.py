"""Log lines in Mailpit's own form, on standard output."""

import sys
from datetime import UTC, datetime


def log(level: str, text: str) -> None:
    """Write `time="2026/11/23 14:12:31" level=info msg="[smtpd] …"`; levels: info, warning, error."""
    stamp = datetime.now(UTC).strftime("%Y/%m/%d %H:%M:%S")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    print(f'time="{stamp}" level={level} msg="{escaped}"', file=sys.stdout, flush=True)
