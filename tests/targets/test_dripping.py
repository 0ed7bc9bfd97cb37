"""A server that sends a byte now and then is as late as one that sends nothing."""

import socket
import threading
from collections.abc import Iterator

import pytest
from mailrace.model.target import Addresses, Liveness
from mailrace.targets import Api, Unanswered
from mailrace.targets.ready import look, smtp_greeting

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPPED = [
    b"",  # the status line itself comes bytewise
    HEAD + b"Content-Length: 1000\r\n\r\n",
    HEAD + b"Connection: close\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
    HEAD + b"X-Long: ",
]


@pytest.fixture
def dripping(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server that says `request.param` and then a byte every 0.05 s, without an end."""
    over = threading.Event()

    def drip(link: socket.socket) -> None:
        try:
            link.sendall(request.param)
            while not over.wait(0.05):
                link.sendall(b"2")
        except OSError:
            pass
        finally:
            link.close()

    def serve() -> None:
        while not over.is_set():
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=drip, args=(link,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads = [threading.Thread(target=serve)]
        threads[0].start()
        yield listener.getsockname()[1]
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("dripping", DRIPPED, indirect=True)
def test_a_rest_answer_has_one_limit_for_the_whole_of_it(dripping: int) -> None:
    api = Api(f"http://127.0.0.1:{dripping}", timeout_s=0.5)
    with pytest.raises(Unanswered, match=r"within 0.5 s"):
        api.info()
    api.close()


@pytest.mark.parametrize("dripping", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "], indirect=True)
def test_a_look_at_readiness_has_one_limit(dripping: int) -> None:
    at = Addresses(smtp_host="127.0.0.1", smtp_port=dripping, api=f"http://127.0.0.1:{dripping}")
    assert look(at, 0.5) is Liveness.HUNG


@pytest.mark.parametrize("dripping", [b"220"], indirect=True)
def test_a_greeting_has_one_limit(dripping: int) -> None:
    at = Addresses(smtp_host="127.0.0.1", smtp_port=dripping, api="http://127.0.0.1:1")
    with pytest.raises(TimeoutError):
        smtp_greeting(at, 0.5)
