"""The wallet that signs, and the checks of every response."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .client import SignAnswer, TradingKeysClient
from .errors import SigningError


class SigningWallet:
    def __init__(self, client: TradingKeysClient, bot_id: str, address: str, wallet: Optional[str]) -> None:
        self._client = client
        self._bot_id = bot_id
        self._address = address
        self._wallet = address if wallet is None else wallet

    def request(self, request: Mapping[str, Any], idempotency_key: Optional[str] = None) -> SignAnswer:
        """Requests a signature, and checks that the wallet still has the address."""
        body = {**request, "wallet": self._wallet}
        answer = self._client.sign(self._bot_id, body, idempotency_key=idempotency_key)
        # Hex of an EVM address has letters of either case. Base58 has only one form.
        address = answer.get("address")
        evm = self._address[:2] == "0x"
        same = str(address).lower() == self._address.lower() if evm else address == self._address
        if not same:
            raise SigningError("The wallet has another address by now.", code="address_changed")
        return answer


def mismatch() -> SigningError:
    return SigningError("The response does not sign the request.", code="signature_mismatch")
