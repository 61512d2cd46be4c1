"""One request and its answer over HTTP/1.1 (RFC 9112), with a bound on time and size.

The standard library's ``http.client`` does this, too, but it takes 20 milliseconds of CPU to load
(it reads headers as if they were mail), which is more than all else that a plugin loads that runs
for each container. It also bounds each read and not the whole: a server that sends an octet a
second would hold it for ever.

What always holds: nothing of an answer is returned before all of it is here, none that is longer
than :data:`BODY_LIMIT` is, and none takes longer than its deadline.
"""

import select
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from integrations.deadline import Deadline, TimeLimitError

if TYPE_CHECKING:
    import ssl

BODY_LIMIT = 16 * 1024 * 1024
_HEAD_LIMIT = 64 * 1024
_PIECE = 64 * 1024


class HttpError(Exception):
    """No answer; `sent` is whether the server may have got the request, and done it."""

    def __init__(self, reason: str, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class MalformedAnswerError(HttpError):
    """What came back isn't HTTP, or more of it than is allowed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, sent=True)


class TooLargeAnswerError(MalformedAnswerError):
    """The answer has more than :data:`BODY_LIMIT` octets. What was asked may have been done."""


class Address(NamedTuple):
    """Where a server is, of its URL."""

    secure: bool
    host: str
    port: int
    path: str
    """What comes before the path of each request, without a slash at its end."""

    @property
    def authority(self) -> str:
        """What the header ``Host`` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether requests stay on this host, as far as the address tells."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def parse_url(url: str) -> Address:
    """Read the URL of a server, ``http://HOST[:PORT][/PATH]``; raise ValueError for anything else.

    >>> parse_url("http://127.0.0.1:6680/")
    Address(secure=False, host='127.0.0.1', port=6680, path='')
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{url!r} has characters that are in no URL")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no URL of a server, such as http://127.0.0.1:6680")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{url!r} has more than scheme, host, port and path")
    secure = parts.scheme == "https"
    port = parts.port if parts.port is not None else (443 if secure else 80)
    return Address(secure, parts.hostname, port, parts.path.rstrip("/"))


class Response(NamedTuple):
    """An answer. `headers` have names in lower case; of several of one name the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection to a server, used for one request after the other as long as it lasts."""

    def __init__(self, address: Address, tls: "ssl.SSLContext | None") -> None:
        self._address = address
        self._tls = tls
        self._socket: socket.socket | None = None

    @property
    def used(self) -> bool:
        """Whether it is open since an earlier request; the server may close it at any time."""
        if self._socket is not None and _is_readable(self._socket):
            self.close()  # Nothing was asked, so what is there to read is its end.
        return self._socket is not None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, deadline: Deadline
    ) -> Response:
        """Send a request and return what is answered; raise :class:`HttpError` where nothing is.

        Headers and target are the caller's to check: they are sent as they are.
        """
        kept = self._socket
        sent = False
        try:
            opened = kept or self._connect(deadline)
            self._socket = opened
            # From here on the server may have all of it, whatever is lost afterwards.
            sent = True
            _send(opened, self._encode(method, target, headers, body), deadline)
            response, reusable = _Reader(opened, deadline).response(method)
        except MalformedAnswerError:
            self.close()
            raise
        except TimeLimitError as error:
            self.close()
            raise HttpError(str(error), sent) from None
        except OSError as error:
            self.close()
            raise HttpError(_reason(error), sent) from error
        if not reusable:
            self.close()
        return response

    def _connect(self, deadline: Deadline) -> socket.socket:
        address = self._address
        plain = _connected(address, deadline)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                return plain
            plain.settimeout(deadline.left())
            return self._tls.wrap_socket(plain, server_hostname=address.host)
        except BaseException:
            plain.close()
            raise

    def _encode(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = [
            f"{method} {self._address.path}{target} HTTP/1.1",
            f"Host: {self._address.authority}",
        ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method not in ("GET", "HEAD", "DELETE"):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _connected(address: Address, deadline: Deadline) -> socket.socket:
    """Connect to the first of a host's addresses that takes it, all of them by the deadline."""
    places = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for i, (family, kind, protocol, _, place) in enumerate(places):
        opened = socket.socket(family, kind, protocol)
        try:
            # None takes all of the time that the others after it are to have, too.
            opened.settimeout(deadline.left() / (len(places) - i))
            opened.connect(place)
        except OSError:
            opened.close()
            if i == len(places) - 1:
                raise
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise OSError(f"{address.host} has no address")


def _is_readable(opened: socket.socket) -> bool:
    waiting = select.poll()
    waiting.register(opened, select.POLLIN)
    return bool(waiting.poll(0))


def _send(opened: socket.socket, octets: bytes, deadline: Deadline) -> None:
    view = memoryview(octets)
    while view:
        opened.settimeout(deadline.left())
        view = view[opened.send(view[:_PIECE]) :]


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or str(error) or type(error).__name__


class _Reader:
    """Reads one answer from a socket."""

    def __init__(self, opened: socket.socket, deadline: Deadline) -> None:
        self._socket = opened
        self._deadline = deadline
        self._buffer = bytearray()
        self._head = 0

    def response(self, method: str) -> tuple[Response, bool]:
        """Return the answer, and whether the connection can be used for another request."""
        status, headers = self._status_and_headers()
        while 100 <= status < 200:
            status, headers = self._status_and_headers()
        reusable = headers.get("connection", "").lower() != "close"
        if method == "HEAD" or status in (204, 304):
            return Response(status, headers, b""), reusable
        if "transfer-encoding" in headers:
            if headers["transfer-encoding"].lower() != "chunked":
                raise MalformedAnswerError("the answer has an encoding that was not asked for")
            return Response(status, headers, self._chunks()), reusable
        if "content-length" in headers:
            size = _size(headers["content-length"], 10)
            return Response(status, headers, self._octets(size)), reusable
        return Response(status, headers, self._rest()), False

    def _status_and_headers(self) -> tuple[int, dict[str, str]]:
        words = self._line().split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not _is_status(words[1]):
            raise MalformedAnswerError("what answers is no HTTP server")
        headers: dict[str, str] = {}
        while line := self._line():
            name, colon, value = line.partition(":")
            if not colon:
                raise MalformedAnswerError("the answer has a header without a colon")
            headers[name.lower()] = value.strip()
        return int(words[1]), headers

    def _line(self) -> str:
        """One line of the head of an answer; all of them together are bounded."""
        while (end := self._buffer.find(b"\n")) < 0:
            if self._head + len(self._buffer) > _HEAD_LIMIT:
                raise MalformedAnswerError("the answer has too long headers")
            self._receive()
        line = bytes(self._buffer[:end]).rstrip(b"\r").decode("latin-1")
        del self._buffer[: end + 1]
        self._head += end + 1
        if self._head > _HEAD_LIMIT:
            raise MalformedAnswerError("the answer has too long headers")
        return line

    def _receive(self) -> None:
        if not self._more():
            raise ConnectionResetError("the server closed the connection")

    def _more(self) -> bool:
        """Read what there is; return False at the end."""
        self._socket.settimeout(self._deadline.left())
        piece = self._socket.recv(_PIECE)
        self._buffer += piece
        return bool(piece)

    def _octets(self, size: int) -> bytes:
        if size > BODY_LIMIT:
            raise TooLargeAnswerError(f"the answer has {size} octets, more than {BODY_LIMIT}")
        while len(self._buffer) < size:
            self._receive()
        octets = bytes(self._buffer[:size])
        del self._buffer[:size]
        return octets

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            # A chunk's head counts by itself: there may be many.
            self._head = 0
            size = _size(self._line().partition(";")[0], 16)
            if size == 0:
                while self._line():
                    pass
                return bytes(body)
            if len(body) + size > BODY_LIMIT:
                raise TooLargeAnswerError(f"the answer has more than {BODY_LIMIT} octets")
            body += self._octets(size)
            self._line()

    def _rest(self) -> bytes:
        while self._more():
            if len(self._buffer) > BODY_LIMIT:
                raise TooLargeAnswerError(f"the answer has more than {BODY_LIMIT} octets")
        return bytes(self._buffer)


def _is_status(word: str) -> bool:
    return len(word) == 3 and word.isascii() and word.isdigit()


def _size(text: str, base: int) -> int:
    text = text.strip()
    if not text.isascii() or not text.isalnum() or len(text) > 16:
        raise MalformedAnswerError("the answer doesn't say how long it is")
    try:
        return int(text, base)
    except ValueError:
        raise MalformedAnswerError("the answer doesn't say how long it is") from None
