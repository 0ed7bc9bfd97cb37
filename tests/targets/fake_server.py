"""A program with Mailpit's flags, for tests of processes: greets, answers /readyz, prints what it got.

`--fake WORD` makes it misbehave: `exits`, `deaf` (no SMTP), `unready` (503), `loud` (a line of 1 MB).
"""

import argparse
import http.server
import os
import socketserver
import sys
import threading


class Greeter(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 fake ESMTP\r\n")
        self.rfile.readline()


class Rest(http.server.BaseHTTPRequestHandler):
    is_ready = True

    def do_GET(self) -> None:
        self.send_response(200 if self.is_ready else 503)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--smtp")
    parser.add_argument("--listen")
    parser.add_argument("--database")
    parser.add_argument("--fake", default="")
    known, rest = parser.parse_known_args()
    print("flags", *rest, flush=True)
    print("database", known.database, flush=True)
    for name, value in sorted(os.environ.items()):
        if name == "GOMAXPROCS" or name.startswith(("MP_", "MAILRACE_")) or "proxy" in name.lower():
            print("environment", f"{name}={value}", flush=True)
    if known.fake == "exits":
        sys.exit("error: it does not want to")
    if known.fake == "loud":
        print("x" * 1_000_000, flush=True)
    Rest.is_ready = known.fake != "unready"
    with open(known.database, "w", encoding="utf-8") as database:
        database.write("data")
    servers: list[socketserver.BaseServer] = []
    if known.fake != "deaf":
        host, port = known.smtp.split(":")
        servers.append(socketserver.ThreadingTCPServer((host, int(port)), Greeter))
    host, port = known.listen.split(":")
    servers.append(http.server.ThreadingHTTPServer((host, int(port)), Rest))
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main()
