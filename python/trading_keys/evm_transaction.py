"""Transactions of type 0 to 4: what the API gets, and the bytes that are broadcast (RLP, EIP-2718)."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

Item = Union[bytes, Sequence["Item"]]

_FEES = ("maxPriorityFeePerGas", "maxFeePerGas")
_QUANTITIES = ("chainId", "nonce", "gas", "value", "gasPrice", *_FEES, "maxFeePerBlobGas")


class EvmTransaction(NamedTuple):
    """A transaction with the names of JSON-RPC. Quantities are hex, because JSON numbers lose digits above 2^53."""

    fields: Dict[str, Any]
    type: int

    def encode(self, y_parity: int, r: int, s: int) -> bytes:
        """The signed transaction."""
        signature = [_integer(y_parity), _integer(r), _integer(s)]
        if self.type == 0:
            v = 2 * self._number("chainId") + 35 + y_parity
            return _rlp([*self._items("nonce", "gasPrice", "gas"), *self._call(), _integer(v), *signature[1:]])
        fees = ("gasPrice",) if self.type == 1 else _FEES
        items: List[Item] = [*self._items("chainId", "nonce", *fees, "gas"), *self._call(), self._access_list()]
        if self.type == 3:
            hashes = [_bytes(value) for value in self.fields["blobVersionedHashes"]]
            items += [_integer(self._number("maxFeePerBlobGas")), hashes]
        if self.type == 4:
            items.append([_authorization(one) for one in self.fields["authorizationList"]])
        return bytes([self.type]) + _rlp([*items, *signature])

    def v(self, y_parity: int) -> int:
        """As in the signed transaction: EIP-155 for type 0, the parity for the others."""
        return y_parity if self.type else 2 * self._number("chainId") + 35 + y_parity

    def _number(self, name: str) -> int:
        return int(self.fields.get(name, "0x0"), 16)

    def _items(self, *names: str) -> List[Item]:
        return [_integer(self._number(name)) for name in names]

    def _call(self) -> List[Item]:
        data = self.fields.get("data", self.fields.get("input", "0x"))
        return [_bytes(self.fields.get("to", "0x")), _integer(self._number("value")), _bytes(data)]

    def _access_list(self) -> Item:
        return [
            [_bytes(entry["address"]), [_bytes(key) for key in entry["storageKeys"]]]
            for entry in self.fields.get("accessList", [])
        ]


def read_transaction(transaction: Mapping[str, Any]) -> EvmTransaction:
    """Reads a transaction as eth-account takes it: numbers, hex or decimal texts, bytes, and ``to`` of ``""``."""
    given = {name: value for name, value in transaction.items() if value is not None}
    if given.get("to") in ("", b"", "0x"):
        del given["to"]
    fields = {
        name: hex(_quantity(value, name)) if name in _QUANTITIES else _plain(value) for name, value in given.items()
    }
    transaction_type = _quantity(given["type"], "type") if "type" in given else _implied_type(given)
    if transaction_type > 4:
        raise ValueError("transaction.type is not one of 0 to 4.")
    fields["type"] = hex(transaction_type)
    required = ["chainId", "nonce", "gas", *(["gasPrice"] if transaction_type < 2 else ["maxFeePerGas"])]
    missing = [name for name in required if name not in fields]
    if missing:
        raise ValueError(f"The transaction has no {', '.join(missing)}. The API fills in nothing.")
    return EvmTransaction(fields, transaction_type)


def _implied_type(fields: Mapping[str, Any]) -> int:
    if "authorizationList" in fields:
        return 4
    if "blobVersionedHashes" in fields or "maxFeePerBlobGas" in fields:
        return 3
    if "gasPrice" not in fields:
        return 2
    return 1 if "accessList" in fields else 0


def _quantity(value: Any, name: str) -> int:
    try:
        if isinstance(value, (bytes, bytearray)):
            return int.from_bytes(value, "big")
        if isinstance(value, str):
            number = int(value, 16 if value[:2] in ("0x", "0X") else 10)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        else:
            raise ValueError
        if number < 0:
            raise ValueError
    except ValueError:
        raise ValueError(f"transaction.{name} is not a number, or a number as text.") from None
    return number


def _plain(value: Any) -> Any:
    """For JSON: bytes as hex, numbers inside of lists as hex."""
    if isinstance(value, (bytes, bytearray)):
        return "0x" + bytes(value).hex()
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value


def _authorization(signed: Mapping[str, Any]) -> Item:
    parity: Optional[Any] = signed.get("yParity", signed.get("v"))
    return [
        _integer(_quantity(signed["chainId"], "authorizationList")),
        _bytes(signed["address"]),
        _integer(_quantity(signed["nonce"], "authorizationList")),
        _integer(_quantity(parity, "authorizationList") % 27),
        _integer(_quantity(signed["r"], "authorizationList")),
        _integer(_quantity(signed["s"], "authorizationList")),
    ]


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _bytes(value: str) -> bytes:
    return bytes.fromhex(value[2:] if value[:2] in ("0x", "0X") else value)


def _rlp(item: Item) -> bytes:
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _length(len(item), 0x80) + item
    content = b"".join(_rlp(member) for member in item)
    return _length(len(content), 0xC0) + content


def _length(length: int, offset: int) -> bytes:
    if length < 56:
        return bytes([offset + length])
    size = _integer(length)
    return bytes([offset + 55 + len(size)]) + size
