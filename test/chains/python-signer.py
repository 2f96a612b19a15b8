"""Calls accounts of the Python package as the lines of its input say, and prints what they return, a JSON line each."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from typing import Any, NamedTuple

from trading_keys import TradingKeysAccount, TradingKeysClient, TradingKeysSolanaSigner, encode_defunct


class ForeignMessage(NamedTuple):
    """As `SignableMessage` of eth-account, whose parts are bytes of a class of its own."""

    version: bytes
    header: bytes
    body: bytes


KECCAK = """
import { keccak_256 } from '@noble/hashes/sha3.js';
import { readFileSync } from 'node:fs';
process.stdout.write(keccak_256(readFileSync(0)));
"""


def keccak(content: bytes) -> bytes:
    program = [os.environ["NODE"], "--input-type=module", "-e", KECCAK]
    return subprocess.run(program, input=content, stdout=subprocess.PIPE, check=True).stdout


def revived(value: Any) -> Any:
    """{"bytes": hex} is bytes."""
    if isinstance(value, dict) and list(value) == ["bytes"]:
        return bytes.fromhex(value["bytes"])
    return value


def shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: shown(member) for name, member in value._asdict().items()}
    return str(value) if isinstance(value, int) else value


def run(call: Any) -> Any:
    client = TradingKeysClient(os.environ["TRADING_KEYS_URL"], os.environ["TRADING_KEYS_TOKEN"])
    options = {"wallet": call["wallet"]} if "wallet" in call else {}
    if call.get("solana"):
        signer: Any = TradingKeysSolanaSigner(client, os.environ["BOT_ID"], call["address"], **options)
    else:
        if call.get("keccak"):
            options["keccak"] = keccak
        signer = TradingKeysAccount(client, os.environ["BOT_ID"], call["address"], **options)
    arguments = call.get("arguments", [])
    if call.get("defunct"):
        message = encode_defunct(*arguments)
        arguments = [ForeignMessage(*message) if call["defunct"] == "foreign" else message]
    elif call.get("signable"):
        arguments = [ForeignMessage(*arguments)]
    member = getattr(signer, call["method"])
    return member(*arguments, **call.get("named", {})) if callable(member) else member


for line in sys.stdin:
    try:
        answer = {"result": shown(run(json.loads(line, object_hook=revived)))}
    except Exception as error:  # The test reads what was raised.
        answer = {"error": type(error).__name__, "code": getattr(error, "code", None), "message": str(error)}
    print(json.dumps(answer), flush=True)
