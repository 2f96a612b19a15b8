"""A bot in Python: trades for one bot, without access to its private key. Copy this file and write your strategy in `trade`.

It needs TRADING_KEYS_URL, TRADING_KEYS_TOKEN, BOT_ID and RPC_URL. Ctrl-C ends it after the current round. The package is
in `python/` of the repository, and needs nothing but the standard library. So does this program, which calls the node
without web3.py.
"""

import json
import os
import signal
import threading
import time
import urllib.request

from trading_keys import ApiProblem, NoAnswer, SigningError, TradingKeysAccount, TradingKeysClient

BOT_ID = os.environ["BOT_ID"]
RPC_URL = os.environ["RPC_URL"]
ROUND_SECONDS = float(os.environ.get("ROUND_MS", "5000")) / 1000

api = TradingKeysClient(os.environ["TRADING_KEYS_URL"], os.environ["TRADING_KEYS_TOKEN"])
stopping = threading.Event()


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.is_set():
        play_round()
        stopping.wait(ROUND_SECONDS)
    print("stopped", flush=True)


def play_round() -> None:
    """One trade, and its result. A failure does not end the program."""
    try:
        # The bot is read in every round, because it can be stopped, and a rotation changes the address of its wallet.
        bot = api.bot(BOT_ID)
        addresses = [wallet["address"] for wallet in bot["wallets"] if wallet["chain"] == "evm" and wallet["key_source"]]
        if bot["status"] != "running" or not addresses:
            print("nothing to do: the bot is stopped or has no EVM wallet", flush=True)
            return
        done = trade(addresses[0])
        print(done, flush=True)
        api.heartbeat(BOT_ID, "ok", message=done)
    except Exception as error:
        reason = error.code if isinstance(error, (ApiProblem, NoAnswer, SigningError)) else type(error).__name__
        print(reason, flush=True)
        try:
            api.heartbeat(BOT_ID, "failing", message=reason)
        except (ApiProblem, NoAnswer):
            pass


def trade(address: str) -> str:
    """The strategy. This example sends 1 wei from the wallet to itself."""
    account = TradingKeysAccount(api, BOT_ID, address)  # before: Account.from_key(key)
    price = int(node("eth_gasPrice"), 16)
    signed = account.sign_transaction(
        {
            "chainId": int(node("eth_chainId"), 16),
            "nonce": int(node("eth_getTransactionCount", address, "pending"), 16),
            "to": address,
            "value": 1,
            "gas": 21000,
            "maxFeePerGas": 2 * price,
            "maxPriorityFeePerGas": min(price, 10**9),
        }
    )
    # With web3.py: w3.eth.send_raw_transaction(signed.raw_transaction)
    transaction_hash = node("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
    return f"{result_of(transaction_hash)}: {transaction_hash} from {address}"


def result_of(transaction_hash: str) -> str:
    for _ in range(150):
        receipt = node("eth_getTransactionReceipt", transaction_hash)
        if receipt:
            return "success" if receipt["status"] == "0x1" else "failure"
        time.sleep(0.2)
    return "no receipt"


def node(method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(RPC_URL, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
    if "error" in answer:
        raise RuntimeError(answer["error"]["message"])
    return answer["result"]


main()
