"""Requests, retries and errors of the client, as those of the TypeScript package."""

from __future__ import annotations

import re
import threading
import time
import traceback
import unittest
from typing import Any, Callable, List, Optional, Tuple

from trading_keys import ApiProblem, NoAnswer, TradingKeysClient
from trading_keys.retry import delay_before_retry, parse_retry_after

from .stand_in import Answer, StandIn, close_after, hang_up, json_answer, problem

BOT = "01a20567-9c9d-712c-b393-fbd8562d7591"
TOKEN = "tk_NeverInAnError"
MESSAGE = {"type": "evm.message", "message": "hello"}
DONE = json_answer({"items": [], "next_cursor": None})

CALLS: "dict[str, Callable[[TradingKeysClient], Any]]" = {
    "GET /runner/bots": lambda client: client.bots(),
    f"GET /runner/bots/{BOT}": lambda client: client.bot(BOT),
    f"POST /bots/{BOT}/sign": lambda client: client.sign(BOT, MESSAGE),
    f"POST /bots/{BOT}/heartbeat": lambda client: client.heartbeat(BOT, "ok"),
}


def silence(_: Any, __: Any) -> None:
    time.sleep(1)


def slow(handler: Any, _: Any) -> None:
    """A byte now and then, each of them within the time limit of a socket."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    try:
        for _ in range(20):
            handler.wfile.write(b"{")
            time.sleep(0.1)
    except OSError:
        pass  # The client has closed the connection.
    handler.close_connection = True


def outcome(call: Callable[[TradingKeysClient], Any], *answers: Answer, **options: Any) -> "Tuple[Any, StandIn]":
    with StandIn(*answers) as server:
        client = TradingKeysClient(server.url, TOKEN, **options)
        try:
            call(client)
            return "done", server
        except (ApiProblem, NoAnswer) as error:
            return error.code, server


class Requests(unittest.TestCase):
    def test_each_call_sends_its_line_and_the_token(self) -> None:
        for line, call in CALLS.items():
            with self.subTest(line):
                _, server = outcome(call, DONE)
                self.assertEqual(server.asked[0].line, line)
                self.assertEqual(server.asked[0].headers["authorization"], f"Bearer {TOKEN}")

    def test_a_page_is_requested_by_its_cursor(self) -> None:
        _, server = outcome(lambda client: client.bots(limit=2, cursor="a b"), DONE)
        self.assertEqual(server.asked[0].line, "GET /runner/bots?limit=2&cursor=a+b")

    def test_the_token_of_a_function_is_read_for_every_attempt(self) -> None:
        tokens = iter(["tk_1", "tk_2"])
        with StandIn(hang_up, DONE) as server:
            TradingKeysClient(server.url, lambda: next(tokens)).bots()
        self.assertEqual([asked.headers["authorization"] for asked in server.asked], ["Bearer tk_1", "Bearer tk_2"])

    def test_requests_of_a_thread_use_one_connection(self) -> None:
        with StandIn(DONE) as server:
            client = TradingKeysClient(server.url, TOKEN)
            client.bots()
            client.sign(BOT, MESSAGE)
            other = threading.Thread(target=client.bots)
            other.start()
            other.join()
        first, second, of_other = (asked.port for asked in server.asked)
        self.assertEqual(first, second)
        self.assertNotEqual(first, of_other)

    def test_a_connection_that_the_server_closed_is_replaced_without_a_retry(self) -> None:
        with StandIn(close_after(DONE), DONE) as server:
            client = TradingKeysClient(server.url, TOKEN, retries=0)
            client.bots()
            time.sleep(0.05)
            client.bots()
        self.assertEqual(len(server.asked), 2)


class Retries(unittest.TestCase):
    def test_every_call_is_sent_again_after_a_failure_that_passes(self) -> None:
        passing = {
            "a connection that ends": hang_up,
            "429": problem("rate_limited", 429),
            "502 of a proxy": json_answer({}, 502),
            "503 with Retry-After": problem("database_busy", 503, retry_after="0"),
            "503 of a proxy": json_answer({}, 503),
            "504 of a proxy": json_answer({}, 504),
        }
        for line, call in CALLS.items():
            for name, failure in passing.items():
                with self.subTest(f"{line}, {name}"):
                    code, server = outcome(call, failure, DONE)
                    self.assertEqual((code, len(server.asked)), ("done", 2))

    def test_no_call_is_sent_again_if_waiting_does_not_help(self) -> None:
        lasting = {
            "policy_value_exceeded": problem("policy_value_exceeded", 403),
            "internal_error": problem("internal_error", 500),
            "master_key_missing": problem("master_key_missing", 503),
            "rate_limited": problem("rate_limited", 429, retry_after="120"),
        }
        for line, call in CALLS.items():
            for code, failure in lasting.items():
                with self.subTest(f"{line}, {code}"):
                    result, server = outcome(call, failure, DONE)
                    self.assertEqual((result, len(server.asked)), (code, 1))

    def test_a_signature_has_one_new_key_for_all_its_attempts(self) -> None:
        def twice(client: TradingKeysClient) -> None:
            client.sign(BOT, MESSAGE)
            client.sign(BOT, MESSAGE)

        _, server = outcome(twice, hang_up, problem("database_busy", 503, retry_after="0"), DONE)
        first, second, third, other = (asked.headers["idempotency-key"] for asked in server.asked)
        self.assertEqual([first, first], [second, third])
        self.assertNotEqual(first, other)

    def test_a_key_of_the_caller_is_sent_with_every_attempt(self) -> None:
        _, server = outcome(lambda client: client.sign(BOT, MESSAGE, idempotency_key="trade-42"), hang_up, DONE)
        self.assertEqual([asked.headers["idempotency-key"] for asked in server.asked], ["trade-42"] * 2)

    def test_a_malformed_key_is_rejected_before_any_request(self) -> None:
        for key in ("", "a b", "é", "x" * 256, "a\r\nb"):
            with StandIn(DONE) as server, self.assertRaises(ValueError):
                TradingKeysClient(server.url, TOKEN).sign(BOT, MESSAGE, idempotency_key=key)
            self.assertEqual(server.asked, [])

    def test_reads_and_heartbeats_have_no_key(self) -> None:
        for line, call in CALLS.items():
            if not line.endswith("/sign"):
                _, server = outcome(call, hang_up, DONE)
                self.assertEqual([asked.headers.get("idempotency-key") for asked in server.asked], [None, None])

    def test_three_requests_are_sent_in_all(self) -> None:
        code, server = outcome(CALLS["GET /runner/bots"], problem("database_busy", 503, retry_after="0"))
        self.assertEqual((code, len(server.asked)), ("database_busy", 3))

    def test_the_pause_is_random_below_a_bound_that_doubles_up_to_a_limit(self) -> None:
        busy = ApiProblem("", code="database_busy", status=503, retry_after=0.0)
        bounds = [delay_before_retry(busy, retry, lambda: 1.0) for retry in (0, 1, 2, 3, 9, 99)]
        self.assertEqual(bounds, [0.2, 0.4, 0.8, 1.6, 5.0, 5.0])
        self.assertEqual(delay_before_retry(busy, 5, lambda: 0.0), 0.0)

    def test_retry_after_is_seconds_or_a_date(self) -> None:
        now = 1_795_262_400.0  # 2026-11-21T12:00:00Z

        def of(header: Optional[str]) -> Optional[float]:
            return parse_retry_after(header, now)

        self.assertEqual(of("7"), 7.0)
        self.assertEqual(of("Sat, 21 Nov 2026 12:00:30 GMT"), 30.0)
        self.assertEqual(of("Sat, 21 Nov 2026 11:00:00 GMT"), 0.0)
        self.assertEqual([of(None), of("soon")], [None, None])


class Errors(unittest.TestCase):
    def failure(self, answer: Answer, **options: Any) -> Any:
        with StandIn(answer) as server, self.assertRaises((ApiProblem, NoAnswer)) as caught:
            TradingKeysClient(server.url, TOKEN, retries=0, **options).sign(BOT, MESSAGE)
        return caught.exception

    def test_a_problem_has_its_code_status_request_id_and_errors(self) -> None:
        errors = [{"pointer": "/message", "code": "too_big", "detail": "too long"}]
        body = {"code": "validation_failed", "title": "T", "detail": "D.", "request_id": "r-1", "errors": errors}
        error = self.failure(json_answer(body, 422, content_type="application/problem+json"))
        self.assertEqual(str(error), "POST /bots/{id}/sign: 422 validation_failed: T. D.")
        self.assertEqual((error.status, error.request_id, list(error.errors)), (422, "r-1", errors))

    def test_what_is_not_from_the_api_is_an_unexpected_answer(self) -> None:
        for answer, status in (
            (json_answer(b"<html>", 502), 502),
            (json_answer({"code": "looks_like_one", "detail": TOKEN}, 403), 403),
            (json_answer(b"fine"), 200),
        ):
            error = self.failure(answer)
            self.assertEqual((error.code, error.status), ("unexpected_answer", status))

    def test_a_redirect_is_not_followed(self) -> None:
        with StandIn(DONE) as other:
            error = self.failure(json_answer({}, 307, location=other.url))
            self.assertEqual((error.code, error.status, other.asked), ("unexpected_answer", 307, []))

    def test_no_response_in_time_is_a_timeout_however_slowly_bytes_arrive(self) -> None:
        for answer in (silence, slow):
            started = time.monotonic()
            error = self.failure(answer, timeout=0.3)
            self.assertEqual(error.code, "timeout")
            self.assertLess(time.monotonic() - started, 0.9)

    def test_an_unreachable_api_is_named_with_the_system_error(self) -> None:
        with StandIn(DONE) as server:
            url = server.url
        with self.assertRaises(NoAnswer) as caught:
            TradingKeysClient(url, TOKEN, retries=0).bots()
        self.assertEqual(str(caught.exception), f"GET /runner/bots: no response from {url} (ECONNREFUSED)")
        self.assertEqual(caught.exception.code, "unreachable")

    def test_half_a_response_is_no_response(self) -> None:
        def half(handler: Any, _: Any) -> None:
            handler.send_response(200)
            handler.send_header("content-length", "100")
            handler.end_headers()
            handler.wfile.write(b"{")
            handler.close_connection = True

        self.assertEqual(self.failure(half).code, "unreachable")

    def test_no_error_shows_the_token(self) -> None:
        def echo(handler: Any, asked: Any) -> None:
            json_answer({"headers": asked.headers}, 400)(handler, asked)

        for answer in (problem("internal_error", 500), echo, hang_up):
            error = self.failure(answer)
            shown = "".join(traceback.format_exception(type(error), error, error.__traceback__)) + repr(vars(error))
            self.assertNotIn(TOKEN, shown)
            self.assertIsNone(error.__context__)
        self.assertNotIn(TOKEN, repr(TradingKeysClient("https://keys.example.test", TOKEN)))


class Settings(unittest.TestCase):
    def test_plain_http_is_for_loopback_alone(self) -> None:
        for url in ("http://keys.example.test", "http://localhost.example.test", "http://127.0.0.1.example.test",
                    "http://[::ffff:127.0.0.1]", "http://[::2]", "http://128.0.0.1", "http://10.0.0.1:8787",
                    "http://0.0.0.0:8787", "http://trading-keys:8787"):  # fmt: skip
            with self.subTest(url), self.assertRaisesRegex(ValueError, "has to begin with https://"):
                TradingKeysClient(url, TOKEN)
        for url in ("http://localhost:8787", "http://LOCALHOST", "http://127.0.0.1:8787", "http://127.255.255.254/base",
                    "http://[::1]:8787", "https://keys.example.test", "https://10.0.0.1"):  # fmt: skip
            with self.subTest(url):
                TradingKeysClient(url, TOKEN)

    def test_a_url_that_is_not_of_the_api_is_rejected_without_being_quoted(self) -> None:
        urls: List[Any] = ["ftp://keys.example.test", "keys", "https://user:secret@keys.example.test",
                           "https://x.test?a=b", "https://x.test#a", "https://x.test:port", "https://", "", None]  # fmt: skip
        for url in urls:
            with self.subTest(url), self.assertRaises(ValueError) as caught:
                TradingKeysClient(url, TOKEN)
            self.assertNotIn("secret", str(caught.exception))

    def test_a_token_that_is_missing_or_malformed_is_rejected_without_being_quoted(self) -> None:
        missing: Any = None
        with self.assertRaises(TypeError):
            TradingKeysClient("https://keys.example.test", missing)
        with StandIn(DONE) as server:
            for token in ("", f"{TOKEN}\n", f"{TOKEN} "):
                with self.assertRaises(ValueError) as caught:
                    TradingKeysClient(server.url, token).bots()
                self.assertNotIn(TOKEN, str(caught.exception))
        self.assertEqual(server.asked, [])

    def test_a_malformed_id_is_put_into_no_url_and_no_error(self) -> None:
        with StandIn(DONE) as server:
            client = TradingKeysClient(server.url, TOKEN)
            for bot_id in ("f00d" * 16, "..", f"{BOT}/../../clients", "", f"{BOT}\n"):
                with self.assertRaises(ValueError) as caught:
                    client.bot(bot_id)
                self.assertTrue(re.fullmatch(r"GET /runner/bots/\{id\}: the id is not a UUID\.", str(caught.exception)))
        self.assertEqual(server.asked, [])


if __name__ == "__main__":
    unittest.main()
