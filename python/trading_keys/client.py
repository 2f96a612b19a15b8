"""The calls of a machine token."""

from __future__ import annotations

import uuid
from typing import Any, Dict, List, Mapping, Optional, TypedDict

from .transport import Token, Transport


class Wallet(TypedDict):
    id: str
    address: str
    chain: str
    key_source: Optional[str]


class RunnerBotSummary(TypedDict):
    id: str
    client_id: str
    bot_type: str
    name: str
    #: ``running`` or ``stopped``.
    status: str
    started_at: Optional[str]
    wallets: List[Wallet]


class RunnerBot(RunnerBotSummary):
    config: Dict[str, Any]


class RunnerBotPage(TypedDict):
    items: List[RunnerBotSummary]
    #: The ``cursor`` of the next page. None on the last page.
    next_cursor: Optional[str]


class _Signature(TypedDict):
    signature: str
    address: str
    key_id: str


class SignAnswer(_Signature, total=False):
    signed_transaction: str


class Heartbeat(TypedDict):
    bot_id: str
    #: Whether the bot should run: a runner ends a bot that is ``stopped``.
    bot_status: str
    recorded_at: str


class TradingKeysClient:
    """The API, for the bots of a machine token. Threads can share it.

    Each call raises ApiProblem or NoAnswer. It is sent again after network errors, 429, 502, 503 and 504, at most
    ``retries`` times, as long as waiting helps.
    """

    def __init__(self, url: str, token: Token, *, timeout: float = 10.0, retries: int = 2) -> None:
        """
        :param url: of the API, such as ``https://keys.example.com``. ``http://`` is accepted for ``localhost``,
            127.0.0.0/8 and ``[::1]`` alone.
        :param token: a machine token (``tk_…``), or a function that returns one before every attempt.
        :param timeout: seconds for each attempt.
        """
        self._transport = Transport(url, token, timeout, retries)

    def bots(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> RunnerBotPage:
        """The running bots of the token, without their configs."""
        page: RunnerBotPage = self._transport.call(
            "GET /runner/bots", query={"limit": limit, "cursor": cursor}
        )
        return page

    def bot(self, bot_id: str) -> RunnerBot:
        """One bot of the token, running or stopped, with its config and the present addresses of its wallets."""
        bot: RunnerBot = self._transport.call("GET /runner/bots/{id}", bot_id=bot_id)
        return bot

    def sign(
        self, bot_id: str, request: Mapping[str, Any], *, idempotency_key: Optional[str] = None
    ) -> SignAnswer:
        """Requests a signature. The accounts and signers of this package also check the response.

        :param idempotency_key: under one key the API signs once, for 24 hours. Give your own to be able to request the
            signature again later. Without one, each call has a new one for all its attempts.
        """
        answer: SignAnswer = self._transport.call(
            "POST /bots/{id}/sign",
            bot_id=bot_id,
            body=request,
            idempotency_key=str(uuid.uuid4()) if idempotency_key is None else idempotency_key,
        )
        return answer

    def heartbeat(
        self,
        bot_id: str,
        status: str,
        *,
        message: Optional[str] = None,
        metrics: Optional[Mapping[str, Any]] = None,
    ) -> Heartbeat:
        """Reports the state of the bot: ``ok``, ``degraded`` or ``failing``."""
        report = {"status": status, "message": message, "metrics": metrics}
        body = {name: value for name, value in report.items() if value is not None}
        heartbeat: Heartbeat = self._transport.call("POST /bots/{id}/heartbeat", bot_id=bot_id, body=body)
        return heartbeat
