"""A Solana signer whose key stays in the API."""

from __future__ import annotations

import base64
import re
from typing import Any, Mapping, NamedTuple, Optional, Tuple

from .client import TradingKeysClient
from .errors import SigningError
from .wallet import SigningWallet, mismatch

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SIGNATURE_BYTES = 64
_VERSION_1 = b"\x81"


class TradingKeysSolanaSigner:
    """Signs through the API, where ``Keypair`` of solders stood. It takes and returns bytes.

    Its methods raise ApiProblem, NoAnswer or SigningError, or ValueError for what cannot be sent.

    The standard library has no Ed25519, so nothing here verifies a signature: the README shows how solders does.
    """

    def __init__(
        self, client: TradingKeysClient, bot_id: str, address: str, *, wallet: Optional[str] = None
    ) -> None:
        """
        :param address: the wallet's address in base58. After a rotation it is another one: create the signer again.
        :param wallet: the wallet's id; without it, the wallet is found by its address.
        """
        self._public_key = _decode(address, 32)
        self._signing = SigningWallet(client, bot_id, address, wallet)
        self._address = address

    def pubkey(self) -> str:
        """The address in base58: ``Pubkey.from_string(signer.pubkey())``."""
        return self._address

    def sign_transaction(self, transaction: bytes, *, idempotency_key: Optional[str] = None) -> bytes:
        """Adds the signature of the wallet to a serialized transaction. Other signatures stay as they are."""
        wire = _read_transaction(transaction)
        if self._public_key not in wire.signers:
            raise ValueError("The wallet is not a signer of this transaction.")
        signature = self.sign_transaction_message(wire.message, idempotency_key=idempotency_key)
        start = wire.first_signature + _SIGNATURE_BYTES * wire.signers.index(self._public_key)
        return transaction[:start] + signature + transaction[start + _SIGNATURE_BYTES :]

    def sign_transaction_message(self, message: bytes, *, idempotency_key: Optional[str] = None) -> bytes:
        """The signature of a serialized message of a transaction, for programs that put transactions together."""
        return self._sign({"type": "solana.transaction", "message": _base64(message)}, idempotency_key)

    def sign_message(self, message: bytes, *, idempotency_key: Optional[str] = None) -> bytes:
        """The signature of any other bytes, as wallets sign messages. The API rejects what could be a transaction."""
        return self._sign({"type": "solana.message", "message": {"base64": _base64(message)}}, idempotency_key)

    def __repr__(self) -> str:
        return f"TradingKeysSolanaSigner({self._address!r})"

    def _sign(self, request: Mapping[str, Any], idempotency_key: Optional[str]) -> bytes:
        answer = self._signing.request(request, idempotency_key)
        try:
            return _decode(answer["signature"], _SIGNATURE_BYTES)
        except (KeyError, TypeError, ValueError):
            failure = mismatch()
        raise failure


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


class _Wire(NamedTuple):
    message: bytes
    #: The public keys whose signatures the transaction needs, in order.
    signers: Tuple[bytes, ...]
    first_signature: int


def _read_transaction(transaction: bytes) -> _Wire:
    """The signatures, and then the message. In version 1, the signatures are at the end."""
    if transaction[:1] == _VERSION_1:
        return _read_version_1(transaction)
    try:
        count, first = _compact_u16(transaction, 0)
        start = first + _SIGNATURE_BYTES * count
        message = transaction[start:]
        # In version 0 the first byte is the version.
        header = 1 if message[0] & 0x80 else 0
        keys_count, keys = _compact_u16(message, header + 3)
        required = message[header]
    except IndexError:
        raise ValueError("The transaction is malformed.") from None
    if header and message[0] != 0x80:
        raise SigningError("The transaction has an unknown version.", code="unsupported_transaction")
    if not 0 < required <= keys_count or required != count or keys + 32 * keys_count > len(message):
        raise ValueError("The transaction is malformed.")
    signers = tuple(message[at : at + 32] for at in range(keys, keys + 32 * required, 32))
    return _Wire(message, signers, first)


def _read_version_1(transaction: bytes) -> _Wire:
    """SIMD-0385: the number of signatures is byte 1 and that of accounts byte 41, and then come the accounts."""
    if len(transaction) < 42:
        raise ValueError("The transaction is malformed.")
    required, accounts = transaction[1], transaction[41]
    end = len(transaction) - _SIGNATURE_BYTES * required
    if not 0 < required <= accounts or 42 + 32 * accounts > end:
        raise ValueError("The transaction is malformed.")
    signers = tuple(transaction[at : at + 32] for at in range(42, 42 + 32 * required, 32))
    return _Wire(transaction[:end], signers, end)


def _compact_u16(content: bytes, at: int) -> Tuple[int, int]:
    """The number, and where it ends."""
    value = 0
    for place in range(3):
        byte = content[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("The transaction is malformed.")


def _decode(text: str, size: int) -> bytes:
    """Base58."""
    if not isinstance(text, str) or not re.fullmatch(f"[{_ALPHABET}]{{{size},88}}", text):
        raise ValueError(f"Not base58 of {size} bytes.")
    number = 0
    for character in text:
        number = number * 58 + _ALPHABET.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    content = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(content) != size:
        raise ValueError(f"Not base58 of {size} bytes.")
    return content
