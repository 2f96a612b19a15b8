"""A server in place of the API. It responds as a test tells it, and records its requests."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Type


class Asked(NamedTuple):
    line: str
    headers: Dict[str, str]
    body: str
    #: The port of the client: requests with the same one used the same connection.
    port: int


Answer = Callable[[BaseHTTPRequestHandler, Asked], None]


def json_answer(body: Any, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"content_type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def problem(code: str, status: int, **headers: str) -> Answer:
    body = {"type": "/docs#x", "title": "A title", "detail": "A detail.", "status": status, "request_id": "r-1", "code": code}
    return json_answer(body, status, content_type="application/problem+json", **headers)


def hang_up(handler: BaseHTTPRequestHandler, _: Asked) -> None:
    """Closes the connection without a response."""
    handler.close_connection = True


def close_after(answer: Answer) -> Answer:
    """Responds, and closes the connection without announcing it, as servers do with idle connections."""

    def closing(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        answer(handler, asked)
        handler.close_connection = True

    return closing


class StandIn:
    """The responses are sent in this order; the last one is repeated."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: List[Asked] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                asked = Asked(
                    f"{self.command} {self.path}",
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length).decode(),
                    self.client_address[1],
                )
                place = min(len(stand_in.asked), len(answers) - 1)
                stand_in.asked.append(asked)
                answers[place](self, asked)

            do_GET = do_POST = respond

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "StandIn":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, _: Optional[Type[BaseException]], __: Optional[BaseException], ___: Optional[TracebackType]
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
