"""What the recorder costs, beside socat as a plain TCP relay: added latency, mails a second, peak memory."""

import http.client
import itertools
import random
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from mailrace.history import RECORD
from mailrace.model.operation import ServerOptions
from mailrace.record.frames import TOGETHER_S_MAX
from mailrace.targets import open_target, parse_target, why_not

TARGETS = ("mailpit@1.33.1", "mailpit@1.30.5", "embedded@1.33.1")
"""The first one at hand is measured."""
PLAIN, OURS, SOCAT = "no relay", "mailrace record", "socat"
ROUNDS, BLOCK, WARM = 25, 1500, 3
"""In a round each way has so many exchanges in a row, after some that are not counted. The order of the ways
changes, so that what else the machine does hits all alike, and a block is long enough for the recorder to be
at work on its beginning."""
MAILS = 4_000
SESSIONS = 8
REPEATS = 3
OPERATIONS = (10_000, 100_000)
STARTED_S_MAX = 5.0
# What a suite of so many operations does: requests over eight connections that are kept open.
SUITE = """
import http.client, os, sys, threading, urllib.parse
url = urllib.parse.urlsplit(os.environ["MAILPIT_URL"])
def ask():
    link = http.client.HTTPConnection(url.hostname, url.port)
    for _ in range(int(sys.argv[1]) // 8):
        link.request("GET", "/api/v1/search?query=to:nobody@x.test")
        link.getresponse().read()
threads = [threading.Thread(target=ask) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def measure() -> None:
    """Print the three tables on the first target at hand."""
    target = next((name for name in TARGETS if not why_not(parse_target(name))), TARGETS[-1])
    with tempfile.TemporaryDirectory(prefix="mailrace-bench-") as folder, ExitStack() as stack:
        server = open_target(target, ServerOptions(), folder=Path(folder))
        stack.callback(server.stop)
        server.start()
        smtp = (server.addresses.smtp_host, server.addresses.smtp_port)
        host, port, _ = server.addresses.api_host_port()
        name = f"http://{host}:{port}?smtp={smtp[0]}:{smtp[1]}"
        ways = {PLAIN: (smtp, (host, port))}
        ways[OURS] = stack.enter_context(_recorded(name, Path(folder)))
        if shutil.which("socat") is None:
            print("\nrecord: socat is missing, so there is no relay to compare with")
        else:
            ways[SOCAT] = (stack.enter_context(_socat(smtp)), stack.enter_context(_socat((host, port))))
        https = {name: http for name, (_, http) in ways.items()}
        _latency(target, https, Path(folder) / "record" / RECORD)
        _mails(target, {name: smtp for name, (smtp, _) in ways.items()})
    _memory(target)


def _latency(target: str, ways: dict[str, tuple[str, int]], record: Path) -> None:
    """One request after the other over a connection that is kept open; see `ROUNDS` and `BLOCK`."""
    links = {name: http.client.HTTPConnection(*place) for name, place in ways.items()}
    # By way: the times of each round, in microseconds.
    took: dict[str, list[list[float]]] = {name: [] for name in ways}
    shuffled = random.Random(1)
    for _ in range(ROUNDS):
        for name in shuffled.sample([*links], len(links)):
            times = [_exchange_us(links[name]) for _ in range(WARM + BLOCK)]
            took[name].append(times[WARM:])
            if name == OURS:
                _wait_for_quiet(record)
    for link in links.values():
        link.close()
    print(
        f"\nrecord: {target}, GET /livez on a connection that is kept, {ROUNDS} × {BLOCK} of each, in turns"
    )
    medians = {name: statistics.median(itertools.chain(*rounds)) for name, rounds in took.items()}
    for name, median in medians.items():
        more = sorted(
            statistics.median(here) - statistics.median(plain)
            for here, plain in zip(took[name], took[PLAIN], strict=True)
        )
        low, middle, high = (more[len(more) * of // 10] for of in (1, 5, 9))
        said = f"  {name:18}{median:>6.0f} µs at the median, {median - medians[PLAIN]:>4.0f} µs added"
        print(f"{said}; by round {middle:.0f} ({low:.0f} to {high:.0f} in 8 of 10)")
    if (by_socat := medians.get(SOCAT, 0) - medians[PLAIN]) > 0:
        print(f"  added by {OURS}: {(medians[OURS] - medians[PLAIN]) / by_socat:.2f} × {SOCAT}'s")


def _exchange_us(link: http.client.HTTPConnection) -> float:
    started = time.perf_counter()
    link.request("GET", "/livez")
    link.getresponse().read()
    return 1e6 * (time.perf_counter() - started)


def _wait_for_quiet(record: Path) -> None:
    """Until the recorder has looked at all that passed, so that no other way pays for that."""
    size = -1
    while size != (size := record.stat().st_size):
        time.sleep(2 * TOGETHER_S_MAX)


def _mails(target: str, ways: dict[str, tuple[str, int]]) -> None:
    """Mails a second of Postfix's smtp-source, the ways in turns."""
    program = shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        print("\nrecord: smtp-source is missing, so mails a second are not measured (Debian: postfix)")
        return
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, (host, port) in ways.items():
            what = ["-d", "-s", str(SESSIONS), "-m", str(MAILS), "-l", "500"]
            what += ["-f", "a@x.test", "-t", "b@x.test"]
            started = time.monotonic()
            subprocess.run([program, *what, f"{host}:{port}"], check=True, timeout=300)
            rates[name].append(MAILS / (time.monotonic() - started))
    print(f"\nrecord: {target}, smtp-source, {SESSIONS} sessions, {MAILS} mails, medians of {REPEATS}")
    plain = statistics.median(rates[PLAIN])
    for name, values in rates.items():
        rate = statistics.median(values)
        print(f"  {name:18}{rate:>8.0f} mails/s, {rate / plain:.2f} of no relay's")


def _memory(target: str) -> None:
    """Peak memory of `mailrace record`, the words at the end included."""
    peaks = {count: _peak_mb(target, count) for count in OPERATIONS}
    print("\nrecord: peak memory of mailrace record while a suite does so many searches")
    for count, (recording, whole) in peaks.items():
        said = f"{whole:.0f} MB with what is said at the end"
        print(f"  {count:>7} operations: {recording:.0f} MB while recording, {said}")
    (few, _), (many, _) = peaks[OPERATIONS[0]], peaks[OPERATIONS[-1]]
    print(f"  ratio while recording: {many / few:.2f}")


def _peak_mb(target: str, operations: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="mailrace-bench-") as folder:
        place = Path(folder) / "record"
        command = [sys.executable, "-m", "mailrace", "record", "--target", target, "--minutes", "0"]
        process = subprocess.Popen(
            [*command, "--out", str(place), "--", sys.executable, "-c", SUITE, str(operations)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        recording = 0.0
        # What it holds while it records is looked at until the record's last line is there.
        while process.poll() is None:
            if (place / "record.jsonl").is_file() and not _is_ended(place / "record.jsonl"):
                recording = max(recording, _now_mb(process.pid))
            time.sleep(0.2)
        return recording, _children_peak_mb()


def _is_ended(file: Path) -> bool:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 400))
        return b'"kind":"end"' in stream.read()


def _now_mb(pid: int) -> float:
    try:
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0


def _children_peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


@contextmanager
def _recorded(name: str, folder: Path) -> Iterator[tuple[tuple[str, int], tuple[str, int]]]:
    """`mailrace record` in front of that server, as a process of its own: where it listens."""
    command = [sys.executable, "-m", "mailrace", "record", "--target", name, "--minutes", "0"]
    process = subprocess.Popen(
        [*command, "--out", str(folder / "record")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        smtp, http_ = re.findall(r"127\.0\.0\.1:(\d+)", said)[:2]
        yield ("127.0.0.1", int(smtp)), ("127.0.0.1", int(http_))
    finally:
        process.terminate()
        process.communicate(timeout=60)


@contextmanager
def _socat(place: tuple[str, int]) -> Iterator[tuple[str, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,nodelay"
    process = subprocess.Popen(["socat", here, f"TCP:{place[0]}:{place[1]},nodelay"])
    try:
        ends = time.monotonic() + STARTED_S_MAX
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                break
            except OSError:
                time.sleep(0.01)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(10)
