"""The embedded reference: a small mail catcher whose SQL statements follow a Mailpit release, in its order.

`python -m mailrace.embedded --version-of 1.17.0 --smtp HOST:PORT --listen HOST:PORT --database FILE`
runs it. Nothing imports it: it is reached by its command, SMTP and REST. It stands in for releases that are
not available, and as a control it shows that our engine releases well. Its variety `fixed` shows how a
Mailpit without the races would behave. docs/embedded.md says what it leaves out of a Mailpit.
"""
