"""The embedded reference: a small mail catcher whose SQL statements follow a Mailpit release, in its order.

`python -m mailrace.embedded --version-of 1.17.0 --smtp HOST:PORT --listen HOST:PORT --database FILE`
runs it, and nothing imports it: it is reached by its command, SMTP and REST. It stands in for releases that
are not available, is the control that shows that our engine releases well, and its `fixed` variety shows what
a Mailpit without the races would look like. What it leaves out of a Mailpit stands in docs/embedded.md.
"""
