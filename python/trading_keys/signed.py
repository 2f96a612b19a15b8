"""What accounts return and sign, with the attribute names of eth-account."""

from __future__ import annotations

from typing import NamedTuple, Optional


class SignedTransaction(NamedTuple):
    #: Ready for ``eth_sendRawTransaction``.
    raw_transaction: bytes
    #: None if the account was created without ``keccak``: Python's standard library does not have that hash function.
    hash: Optional[bytes]
    r: int
    s: int
    v: int


class SignedMessage(NamedTuple):
    #: None if the account was created without ``keccak``, and for typed data.
    message_hash: Optional[bytes]
    r: int
    s: int
    v: int
    signature: bytes


class SignableMessage(NamedTuple):
    """A message in the form of EIP-191. The class of the same name in eth-account is accepted too."""

    version: bytes
    header: bytes
    body: bytes


def encode_defunct(
    primitive: Optional[bytes] = None, *, hexstr: Optional[str] = None, text: Optional[str] = None
) -> SignableMessage:
    """A message as ``personal_sign`` signs it: bytes, hex digits or a text."""
    given = [value for value in (primitive, hexstr, text) if value is not None]
    if len(given) != 1:
        raise ValueError("Give one of primitive, hexstr and text.")
    if text is not None:
        body = text.encode()
    elif hexstr is not None:
        body = bytes.fromhex(hexstr[2:] if hexstr[:2] in ("0x", "0X") else hexstr)
    else:
        body = bytes(primitive or b"")
    return SignableMessage(b"E", b"thereum Signed Message:\n" + str(len(body)).encode(), body)
