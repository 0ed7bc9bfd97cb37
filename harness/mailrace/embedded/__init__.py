"""The embedded reference: a small mail catcher whose SQL statements follow a Mailpit release, in its order.

`python -m mailrace.embedded --version-of 1.17.0 --smtp HOST:PORT --listen HOST:PORT --database FILE`
runs it. It stands in for releases that cannot be had, is the control that shows the engine releases well,
and its `fixed` variety shows what a Mailpit without the races would look like.

Left out of what a release does: its pages and their events, POP3, TLS, relaying, release, HTML and link
checks, thumbnails, tag filters, `--max` and vacuuming. Their statements are left out with them: of those
that a native DELETE of everything sends, VACUUM and two checkpoints. Bodies are packed with zlib, not zstd.
"""

from mailrace.embedded.door import Answer, Door, Statement, StatementFailed
from mailrace.embedded.versions import VERSIONS, Version

__all__ = ["VERSIONS", "Answer", "Door", "Statement", "StatementFailed", "Version"]
