"""Typed data (EIP-712) in the form that the API takes."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional

#: EIP-712, "Definition of domainSeparator", in this order.
_DOMAIN = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}


def typed_data_of(
    domain_data: Optional[Mapping[str, Any]],
    message_types: Optional[Mapping[str, Any]],
    message_data: Optional[Mapping[str, Any]],
    full_message: Optional[Mapping[str, Any]],
) -> Dict[str, Any]:
    if full_message is not None:
        if domain_data is not None or message_types is not None or message_data is not None:
            raise ValueError("Give full_message, or its three parts.")
        document: Dict[str, Any] = _plain(full_message)
        return document
    if message_types is None or message_data is None:
        raise ValueError("Typed data needs message_types and message_data, or full_message.")
    domain = domain_data or {}
    types = {"EIP712Domain": _domain_type(domain), **message_types}
    document = {
        "types": types,
        "primaryType": _primary_type(message_types),
        "domain": domain,
        "message": message_data,
    }
    plain: Dict[str, Any] = _plain(document)
    return plain


def _domain_type(domain: Mapping[str, Any]) -> List[Dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in _DOMAIN.items() if name in domain]


def _primary_type(types: Mapping[str, Any]) -> str:
    """The type that no other type has as a member."""
    names = [name for name in types if name != "EIP712Domain"]
    members = {
        re.sub(r"(\[[0-9]*\])+$", "", field["type"])
        for name in names
        for field in types[name]
        if re.sub(r"(\[[0-9]*\])+$", "", field["type"]) != name
    }
    primary = [name for name in names if name not in members]
    if len(primary) != 1:
        raise ValueError("message_types has not one type that no other type has as a member: send full_message.")
    return primary[0]


def _plain(value: Any) -> Any:
    """For JSON: bytes as hex, and numbers as text, because JSON numbers lose digits above 2^53."""
    if isinstance(value, (bytes, bytearray)):
        return "0x" + bytes(value).hex()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value
