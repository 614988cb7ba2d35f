"""An S3 server on the loopback, and a proxy before it that makes requests fail as networks do."""

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
NOT_IMPLEMENTED = b"<Error><Code>NotImplemented</Code><Message>A header is not implemented.</Message></Error>"
SILENT_S = 20.0
_OWN = {
    "transfer-encoding",
    "connection",
    "content-length",
    "server",
    "date",
}  # this connection's own headers

Request = BaseHTTPRequestHandler


@dataclass
class Fault:
    """What happens to the first requests that are meant.

    Attributes:
        kind: slow_down, silent, reset (in the middle of the body), flip (a byte of the answer's body),
            flip_sent (of the request's body), gone (the connection is closed at once), unconditional.
        times: to so many requests.
        after: so many that pass before them.
        meant: which requests.
    """

    kind: str
    times: int = 1 << 30
    after: int = 0
    meant: Callable[[Request], bool] = lambda request: True

    def strikes(self) -> bool:
        """Whether the next request that is meant fails."""
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return self.times >= 0


def gets_of(part: str) -> Callable[[Request], bool]:
    """Requests for the content of objects whose key holds `part`."""
    return lambda request: request.command == "GET" and part in urlsplit(request.path).path


def puts_of(part: str) -> Callable[[Request], bool]:
    """Requests that bring objects whose key holds `part`."""
    return lambda request: request.command == "PUT" and part in urlsplit(request.path).path


@dataclass
class Proxy:
    """Hands requests on to a server, unless a fault is in the way."""

    target: str
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = _Quiet(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def fault_for(self, request: Request) -> str:
        """What happens to this request: the kind of fault, or nothing."""
        with self._lock:
            self.seen.append(f"{request.command} {request.path}")
            for fault in self.faults:
                if fault.meant(request) and fault.strikes():
                    return fault.kind
        return ""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that went away is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.fault_for(self)
        if fault in ("gone", "silent"):
            time.sleep(SILENT_S if fault == "silent" else 0)
            self._hang_up()
        elif fault == "slow_down":
            self._answer(503, {}, SLOW_DOWN)
        elif fault == "unconditional" and self.headers.get("If-None-Match"):
            self._answer(501, {}, NOT_IMPLEMENTED)
        else:
            self._hand_on(_flipped(body) if fault == "flip_sent" else body, fault)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815

    def _hand_on(self, body: bytes, fault: str) -> None:
        there = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc, timeout=60)
        there.request(self.command, self.path, body, dict(self.headers))
        answer = there.getresponse()
        content = answer.read()
        there.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _OWN}
        if self.command == "HEAD":
            headers["Content-Length"] = answer.getheader("Content-Length") or "0"
        if fault == "reset" and content:
            self._answer(answer.status, headers, content, sent=len(content) // 2)
            self._hang_up()
        else:
            self._answer(answer.status, headers, _flipped(content) if fault == "flip" else content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes, sent: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[:sent])
        self.wfile.flush()

    def _hang_up(self) -> None:
        """Close with a reset, not in good order."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        return


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :] if content else content
