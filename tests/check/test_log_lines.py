"""Known lines of a server's log: each with what it means, in order, each once."""

import pytest
from mailrace.check import explain, known_line
from mailrace.check.log_lines import KNOWN_LOG_LINES
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import LogLine

from tests.check.rounds import RELEASE_NS, executed

LINES = {
    'msg="[db] error storing message: UNIQUE constraint failed: tags.Name"': "rejected_but_stored",
    'msg="[db] error storing message: UNIQUE constraint failed: two_tags.Name"': "rejected_but_stored",
    'msg="[db] error storing message: sql: no rows in result set"': "rejected_but_stored",
    'msg="[db] missing argument with index 2"': "hang",
    'msg="[db] error storing message: there were 1 statement errors"': "rejected_but_stored",
    'msg="[db] error storing message: database is locked (5) (SQLITE_BUSY)"': "rejected_but_stored",
    'level=warning msg="[smtpd] error parsing message: malformed MIME header line: x"': "envelope_leaked",
    "panic: runtime error: index out of range": "crash",
}


@pytest.mark.parametrize(("text", "name"), LINES.items())
def test_each_known_line_explains_its_anomaly(text: str, name: str) -> None:
    known = known_line(text)
    assert known is not None
    assert known.explains is AnomalyName(name)


def test_every_row_of_the_table_is_met_by_a_line() -> None:
    assert {known_line(text) for text in LINES} == set(KNOWN_LOG_LINES)


def test_a_round_is_explained_by_its_known_lines_in_order_each_once() -> None:
    quiet = 'level=info msg="[smtpd] starting on 127.0.0.1:1025"'
    texts = (quiet, *list(LINES)[:1], *list(LINES)[3:4], *list(LINES)[:1])
    record = executed((), (), (), log=tuple(LogLine(t_ns=RELEASE_NS, text=text) for text in texts))
    assert [line for line, _ in explain(record)] == [texts[1], texts[2]]
    assert all("S1" in meaning or "S4" in meaning for _, meaning in explain(record))
