"""`pytest --mail-record`: a recorder between a suite of pytest and its Mailpit, in every worker of xdist.

The process that was started first runs the server and the recorder, and the environment tells all others
where they listen. Each test notes when it ran and in which process, so that each finding can name its tests.
"""

import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from mailrace.record.findings import Findings

RAN = "mailrace_ran"
"""The attribute of a test's last report that says (process, begun, ended); xdist carries it along."""


class MailAddresses(NamedTuple):
    """Where a suite's Mailpit listens: for `smtplib.SMTP(host, port)`, and the base URL of its API."""

    smtp_host: str
    smtp_port: int
    url: str


def addresses() -> MailAddresses:
    """What the environment tells of the recorder. Raises pytest.UsageError where there is none."""
    try:
        return MailAddresses(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), os.environ["MAILPIT_URL"])
    except (KeyError, ValueError):
        raise pytest.UsageError(
            "no Mailpit is known: give --mail-record, or set SMTP_HOST, SMTP_PORT and MAILPIT_URL"
        ) from None


class TestTimes:
    """In each process that runs tests: when each test ran, put into its last report."""

    __test__ = False

    def __init__(self) -> None:
        self._begun_ns = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """A test begins."""
        self._begun_ns = time.monotonic_ns()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A phase of a test is over; the last one is its teardown."""
        report = yield
        if call.when == "teardown":
            setattr(report, RAN, [os.getpid(), self._begun_ns, time.monotonic_ns()])
        return report


class RecorderPlugin:
    """In the process that was started first: server, recorder, and the summary at the end."""

    def __init__(self, target: str, folder: Path) -> None:
        from mailrace.model.target_name import parse_target
        from mailrace.studies.recording import Recording, RecordRequest
        from mailrace.studies.suite_command import environment_of

        self._folder = folder
        self._found: Findings | None = None
        request = RecordRequest(target=parse_target(target), made_by=("pytest", *sys.argv[1:]))
        self._recording = Recording(request, folder)
        self._recording.start()
        os.environ.update(environment_of(self._recording.places, {}))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test is over, here or in a worker."""
        from mailrace.record.recorded import TestRan

        if ran := getattr(report, RAN, None):
            pid, begun_ns, ended_ns = ran
            self._recording.test_ran(
                TestRan(name=report.nodeid, pid=pid, begun_ns=begun_ns, ended_ns=ended_ns)
            )

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """All tests are over: read the store, and write the record's files."""
        from mailrace.history import prune
        from mailrace.model.request import KEPT
        from mailrace.report.recorded import write_record

        self._found = self._recording.finish(int(exitstatus))
        write_record(self._found, self._folder)
        prune(self._folder.parent, KEPT)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What was found, below pytest's own summary."""
        from mailrace.report.recorded import lines_of
        from mailrace.report.words import harmless

        if self._found is not None:
            terminalreporter.section("mailrace record")
            for line in (*lines_of(self._found), f"report: {self._folder / 'report.html'}"):
                terminalreporter.write_line(harmless(line))

    def pytest_unconfigure(self) -> None:
        """pytest ends, whatever happened."""
        self._recording.close()
