"""Accounts and signers whose keys stay in the trading-keys API."""

from .account import TradingKeysAccount
from .client import TradingKeysClient
from .errors import ApiProblem, NoAnswer, SigningError
from .signed import SignableMessage, SignedMessage, SignedTransaction, encode_defunct
from .solana import TradingKeysSolanaSigner

__all__ = [
    "ApiProblem",
    "NoAnswer",
    "SignableMessage",
    "SignedMessage",
    "SignedTransaction",
    "SigningError",
    "TradingKeysAccount",
    "TradingKeysClient",
    "TradingKeysSolanaSigner",
    "encode_defunct",
]
