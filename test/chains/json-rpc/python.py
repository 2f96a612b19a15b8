"""A bot with requests alone: reads one task as JSON from its input, and prints the result as JSON."""
import json
import sys
import time

import requests

task = json.load(sys.stdin)
session = requests.Session()
session.headers["Authorization"] = task["authorization"]


def rpc(method, *params):
    response = session.post(task["url"], json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    response.raise_for_status()
    answer = response.json()
    if "error" in answer:
        sys.exit(json.dumps(answer["error"]))
    return answer["result"]


def send(transaction):
    transaction_hash = rpc("eth_sendTransaction", {"from": address, **transaction})
    while (receipt := rpc("eth_getTransactionReceipt", transaction_hash)) is None:
        time.sleep(0.05)
    return receipt


address = rpc("eth_accounts")[0]
params = task["params"]
if task["name"] == "address":
    result = address
elif task["name"] == "transfer":
    result = send({"to": params[0], "value": hex(int(params[1]))})["status"]
elif task["name"] == "deploy":
    result = send({"data": params[0]})["contractAddress"]
elif task["name"] == "transferToken":
    token, to, amount = params
    data = "0xa9059cbb" + to[2:].lower().rjust(64, "0") + hex(int(amount))[2:].rjust(64, "0")
    result = send({"to": token, "data": data})["status"]
elif task["name"] == "signTypedData":
    result = rpc("eth_signTypedData_v4", address, params[0])
else:
    result = rpc("personal_sign", "0x" + params[0].encode().hex(), address)
print(json.dumps(result))
