"""One call of the API: the request, its time limit, its retries, and the meaning of the response."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import json
import os
import re
import socket
import threading
import time
import urllib.parse
from typing import Any, Callable, Dict, Mapping, NamedTuple, NoReturn, Optional, Union

from .errors import ApiProblem, NoAnswer
from .retry import delay_before_retry, parse_retry_after

Token = Union[str, Callable[[], str]]

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class _Response(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class _Connection:
    """An open connection, which is closed when its thread or its client ends."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.http = connection
        self.process = os.getpid()

    def __del__(self) -> None:
        self.http.close()


class Transport:
    """Sends calls that can be repeated: each is a read, or carries an Idempotency-Key, or has the same effect twice."""

    def __init__(self, url: str, token: Token, timeout: float, retries: int) -> None:
        self._scheme, self._host, self._port, self._path = _parse_url(url)
        if token is None or (not callable(token) and not isinstance(token, str)):
            raise TypeError("The token is not a text. Is its environment variable set?")
        self._token = token
        self._timeout = timeout
        self._retries = retries
        self._local = threading.local()

    def call(
        self,
        line: str,
        *,
        bot_id: Optional[str] = None,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        idempotency_key: Optional[str] = None,
    ) -> Any:
        method, path = self._locate(line, bot_id, query)
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        if idempotency_key is not None and not (
            _VISIBLE.fullmatch(idempotency_key) and len(idempotency_key) <= 255
        ):
            raise ValueError("An idempotency key is 1 to 255 visible ASCII characters.")
        retry = 0
        while True:
            try:
                return self._attempt(line, method, path, content, idempotency_key)
            except (ApiProblem, NoAnswer) as error:
                delay = delay_before_retry(error, retry) if retry < self._retries else None
                if delay is None:
                    raise
            time.sleep(delay)
            retry += 1

    def _locate(self, line: str, bot_id: Optional[str], query: Optional[Mapping[str, Any]]) -> "tuple[str, str]":
        method, path = line.split(" ")
        if "{id}" in path:
            # Neither another path nor, by mistake, a key gets into a URL.
            if not isinstance(bot_id, str) or not _UUID.fullmatch(bot_id):
                raise ValueError(f"{line}: the id is not a UUID.")
            path = path.replace("{id}", bot_id)
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        suffix = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return method, f"{self._path}{path}{suffix}"

    def _attempt(
        self, line: str, method: str, path: str, content: Optional[bytes], idempotency_key: Optional[str]
    ) -> Any:
        headers = {"accept": "application/json", "authorization": f"Bearer {self._current_token()}"}
        if content is not None:
            headers["content-type"] = "application/json"
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        # The cause is named and not attached: errors of the network can quote the headers.
        failure: NoAnswer
        try:
            return _read_answer(line, self._exchange(method, path, headers, content))
        except (socket.timeout, TimeoutError):
            failure = NoAnswer(
                f"{line}: no response from {self._origin()} within {self._timeout:g} s", code="timeout"
            )
        except (OSError, http.client.HTTPException) as error:
            failure = NoAnswer(
                f"{line}: no response from {self._origin()} ({_cause_of(error)})", code="unreachable"
            )
        raise failure

    def _current_token(self) -> str:
        token = self._token() if callable(self._token) else self._token
        if not isinstance(token, str) or not _VISIBLE.fullmatch(token):
            raise ValueError("The token is empty or has characters that no token has.")
        return token

    def _exchange(
        self, method: str, path: str, headers: Dict[str, str], content: Optional[bytes]
    ) -> _Response:
        """By the connection of this thread, if the last response left one open."""
        held: Optional[_Connection] = self._local.__dict__.pop("held", None)
        # A connection that was open at a fork belongs to the parent process.
        if held is not None and held.process == os.getpid():
            try:
                return self._send(held, method, path, headers, content)
            except _CLOSED:
                pass  # The server has closed the idle connection.
        connection_type = (
            http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
        )
        fresh = _Connection(connection_type(self._host, self._port, timeout=self._timeout))
        return self._send(fresh, method, path, headers, content)

    def _send(
        self,
        held: _Connection,
        method: str,
        path: str,
        headers: Dict[str, str],
        content: Optional[bytes],
    ) -> _Response:
        connection = held.http
        deadline = time.monotonic() + self._timeout
        try:
            # http.client follows no redirect, so the token and the body go to no other server.
            connection.request(method, path, body=content, headers=headers)
            sock = connection.sock
            _limit(sock, deadline)
            response = connection.getresponse()
            body = b""
            while response.length != 0:
                _limit(sock, deadline)
                part = response.read1(65_536)
                if not part:
                    break
                body += part
            if response.length:
                raise http.client.IncompleteRead(b"")
            response.close()
        except BaseException:
            connection.close()
            raise
        if not response.will_close:
            sock.settimeout(self._timeout)
            self._local.held = held
        return _Response(response.status, response.headers, body)

    def _origin(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        port = "" if self._port is None else f":{self._port}"
        return f"{self._scheme}://{host}{port}"


def _limit(sock: socket.socket, deadline: float) -> None:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    sock.settimeout(remaining)


def _parse_url(url: str) -> "tuple[str, str, Optional[int], str]":
    mistake = "The url has to be that of the API, such as https://keys.example.com."
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except (ValueError, TypeError, AttributeError):
        raise ValueError(mistake) from None
    host = parts.hostname
    if (
        parts.scheme not in ("https", "http")
        or not host
        or not re.fullmatch(r"[\x21-\x7e]+", url)
        or parts.username is not None
        or parts.password is not None
        or parts.query
        or parts.fragment
    ):
        raise ValueError(mistake)
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError(
            "The url has to begin with https://. Only localhost, 127.0.0.0/8 and [::1] may use http://."
        )
    return parts.scheme, host, port, parts.path.rstrip("/")


def _is_loopback(host: str) -> bool:
    """Anywhere else plain HTTP would show the token."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address == ipaddress.ip_address("::1") or (address.version == 4 and address.is_loopback)


def _read_answer(line: str, response: _Response) -> Any:
    try:
        body = json.loads(response.body)
    except ValueError:
        body = None
    if 200 <= response.status < 300 and body is not None:
        return body
    _raise_problem(line, response, body)


def _raise_problem(line: str, response: _Response, body: Any) -> NoReturn:
    """Only the API's own problems are quoted: the response of a proxy may repeat the request."""
    content_type = response.headers.get("content-type") or ""
    is_problem = re.match(r"application/problem\+json\b", content_type, re.IGNORECASE)
    problem = body if is_problem and isinstance(body, dict) else {}
    code = _text(problem.get("code")) or "unexpected_answer"
    texts = ". ".join(filter(None, (_text(problem.get("title")), _text(problem.get("detail")))))
    errors = problem.get("errors")
    raise ApiProblem(
        f"{line}: {response.status} {code}" + (f": {texts}" if texts else ""),
        code=code,
        status=response.status,
        request_id=_text(problem.get("request_id")) or response.headers.get("x-request-id"),
        errors=errors if isinstance(errors, list) else (),
        retry_after=parse_retry_after(response.headers.get("retry-after")),
    )


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) else None


def _cause_of(error: Exception) -> str:
    """A system code such as ECONNREFUSED, or the kind of error. Never its message."""
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)
