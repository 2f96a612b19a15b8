"""An EVM account whose key stays in the API, with the method names of eth-account."""

from __future__ import annotations

import re
from typing import Any, Callable, Mapping, NoReturn, Optional, Tuple, Union

from .client import TradingKeysClient
from .errors import SigningError
from .evm_transaction import read_transaction
from .signed import SignableMessage, SignedMessage, SignedTransaction, encode_defunct
from .typed_data import typed_data_of
from .wallet import SigningWallet, mismatch

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class TradingKeysAccount:
    """Signs through the API, where ``Account.from_key(key)`` stood.

    Its methods raise ApiProblem, NoAnswer or SigningError, or ValueError for what cannot be sent.

    A signed transaction is built here from what you requested and the signature. The standard library has no
    secp256k1, so nothing here recovers the address from a signature: the README shows how eth-account does.
    """

    def __init__(
        self,
        client: TradingKeysClient,
        bot_id: str,
        address: str,
        *,
        wallet: Optional[str] = None,
        keccak: Optional[Callable[[bytes], bytes]] = None,
    ) -> None:
        """
        :param address: the wallet's address. After a rotation it is another one: create the account again.
        :param wallet: the wallet's id; without it, the wallet is found by its address.
        :param keccak: Keccak-256, such as ``eth_utils.keccak``. With it, ``hash`` and ``message_hash`` are set.
        """
        if not re.fullmatch(r"0x[0-9a-fA-F]{40}", address):
            raise ValueError("The address is not 0x and 40 hex digits.")
        self._signing = SigningWallet(client, bot_id, address, wallet)
        self._address = address
        self._keccak = keccak

    @property
    def address(self) -> str:
        return self._address

    def sign_transaction(
        self, transaction_dict: Mapping[str, Any], *, idempotency_key: Optional[str] = None
    ) -> SignedTransaction:
        """Signs a transaction of type 0 to 4. ``chainId``, ``nonce``, ``gas`` and the fees are required.

        A transaction with blobs is signed by its ``blobVersionedHashes``, and returned without the blobs.
        """
        transaction = read_transaction(transaction_dict)
        request = {"type": "evm.transaction", "transaction": transaction.fields}
        answer = self._signing.request(request, idempotency_key)
        r, s, y_parity = _read_signature(answer.get("signature"))
        raw = transaction.encode(y_parity, r, s)
        if answer.get("signed_transaction") != "0x" + raw.hex():
            raise mismatch()
        return SignedTransaction(raw, self._hash(raw), r, s, transaction.v(y_parity))

    def sign_message(
        self, signable_message: Union[SignableMessage, str, bytes], *, idempotency_key: Optional[str] = None
    ) -> SignedMessage:
        """Signs as ``personal_sign`` does: the result of ``encode_defunct``, here or of eth-account, a text or bytes."""
        if isinstance(signable_message, str):
            signable_message = encode_defunct(text=signable_message)
        elif isinstance(signable_message, (bytes, bytearray)):
            signable_message = encode_defunct(bytes(signable_message))
        version, header, body = (bytes(part) for part in signable_message)
        if (version, header) != encode_defunct(body)[:2]:
            raise SigningError(
                "Only personal messages (version 0x45 of EIP-191) are signed as messages. For typed data, call sign_typed_data.",
                code="unsupported_message",
            )
        request = {"type": "evm.message", "message": {"raw": "0x" + body.hex()}}
        digest = self._hash(b"\x19" + version + header + body)
        return self._sign(request, digest, idempotency_key)

    def sign_typed_data(
        self,
        domain_data: Optional[Mapping[str, Any]] = None,
        message_types: Optional[Mapping[str, Any]] = None,
        message_data: Optional[Mapping[str, Any]] = None,
        full_message: Optional[Mapping[str, Any]] = None,
        *,
        idempotency_key: Optional[str] = None,
    ) -> SignedMessage:
        """Signs typed data (EIP-712): its three parts, or the whole document as ``eth_signTypedData_v4`` takes it."""
        typed_data = typed_data_of(domain_data, message_types, message_data, full_message)
        return self._sign({"type": "evm.typed_data", "typed_data": typed_data}, None, idempotency_key)

    def unsafe_sign_hash(self, message_hash: Any) -> NoReturn:
        raise SigningError(
            "The API signs no bare hashes, because no policy can read them. Sign the transaction, typed data or message.",
            code="unsupported_hash",
        )

    def signHash(self, message_hash: Any) -> NoReturn:  # noqa: N802
        """The name of ``unsafe_sign_hash`` in older releases of eth-account."""
        self.unsafe_sign_hash(message_hash)

    def sign_authorization(self, authorization: Any) -> NoReturn:
        raise SigningError("The API signs no EIP-7702 authorizations.", code="unsupported_authorization")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TradingKeysAccount) and self._address.lower() == other._address.lower()

    def __hash__(self) -> int:
        return hash((TradingKeysAccount, self._address.lower()))

    def __repr__(self) -> str:
        return f"TradingKeysAccount({self._address!r})"

    def _sign(
        self, request: Mapping[str, Any], digest: Optional[bytes], idempotency_key: Optional[str]
    ) -> SignedMessage:
        answer = self._signing.request(request, idempotency_key)
        r, s, y_parity = _read_signature(answer.get("signature"))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + y_parity])
        return SignedMessage(digest, r, s, 27 + y_parity, signature)

    def _hash(self, content: bytes) -> Optional[bytes]:
        return None if self._keccak is None else bytes(self._keccak(content))


def _read_signature(text: Any) -> Tuple[int, int, int]:
    """r, s in the lower half (EIP-2), and the parity."""
    if not isinstance(text, str) or not re.fullmatch(r"0x[0-9a-fA-F]{130}", text):
        raise mismatch()
    r, s, v = int(text[2:66], 16), int(text[66:130], 16), int(text[130:], 16)
    if not 0 < r < _ORDER or not 0 < s <= _ORDER // 2 or v not in (0, 1, 27, 28):
        raise mismatch()
    return r, s, v % 27
