"""What accounts do with a dishonest API, and what they show of themselves."""

from __future__ import annotations

import unittest
from typing import Any, Callable

from trading_keys import (
    SigningError,
    TradingKeysAccount,
    TradingKeysClient,
    TradingKeysSolanaSigner,
    encode_defunct,
)
from trading_keys.evm_transaction import read_transaction

from .stand_in import StandIn, json_answer

BOT = "01a20567-9c9d-712c-b393-fbd8562d7591"
EVM = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
SOLANA = "4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn"
TRANSFER = {"chainId": 1, "nonce": 0, "gas": 21000, "gasPrice": 1, "to": EVM, "value": 1}
SIGNATURE = "0x" + "11" * 32 + "22" * 32 + "1b"
RAW = "0x" + read_transaction(TRANSFER).encode(0, int("11" * 32, 16), int("22" * 32, 16)).hex()


class DishonestApi(unittest.TestCase):
    def code_of(self, call: Callable[[TradingKeysClient], Any], **answer: Any) -> str:
        with StandIn(json_answer({"address": EVM, "key_id": BOT, **answer})) as server:
            try:
                call(TradingKeysClient(server.url, "tk_test"))
            except SigningError as error:
                return error.code
            return "signed"

    def test_a_transaction_is_returned_only_as_it_was_requested(self) -> None:
        def sign(client: TradingKeysClient) -> Any:
            return TradingKeysAccount(client, BOT, EVM).sign_transaction(TRANSFER)

        self.assertEqual(self.code_of(sign, signature=SIGNATURE, signed_transaction=RAW), "signed")
        dear = "0x" + read_transaction({**TRANSFER, "value": 2}).encode(0, int("11" * 32, 16), int("22" * 32, 16)).hex()
        for name, answer in {
            "another transaction": {"signature": SIGNATURE, "signed_transaction": dear},
            "another signature": {"signature": SIGNATURE[:-2] + "1c", "signed_transaction": RAW},
            "no transaction": {"signature": SIGNATURE},
        }.items():
            with self.subTest(name):
                self.assertEqual(self.code_of(sign, **answer), "signature_mismatch")

    def test_a_malformed_signature_is_not_returned(self) -> None:
        def sign(client: TradingKeysClient) -> Any:
            return TradingKeysAccount(client, BOT, EVM).sign_message("hello")

        self.assertEqual(self.code_of(sign, signature=SIGNATURE), "signed")
        high_s = "0x" + "11" * 32 + "f" * 63 + "0" + "1b"
        for signature in (SIGNATURE[:-2], SIGNATURE[2:], f"{SIGNATURE}00", f"{SIGNATURE[:-2]}1d", high_s,
                          "0x" + "00" * 65, "signed", None, 7):  # fmt: skip
            with self.subTest(signature):
                self.assertEqual(self.code_of(sign, signature=signature), "signature_mismatch")

    def test_a_solana_signature_has_64_bytes(self) -> None:
        def sign(client: TradingKeysClient) -> Any:
            return TradingKeysSolanaSigner(client, BOT, SOLANA).sign_transaction_message(b"message")

        good = "5" * 87
        self.assertEqual(self.code_of(sign, address=SOLANA, signature=good), "signed")
        for signature in (good[:-3], "z" * 88, "0" * 88, "", None):
            with self.subTest(signature):
                self.assertEqual(self.code_of(sign, address=SOLANA, signature=signature), "signature_mismatch")

    def test_another_address_is_an_error(self) -> None:
        def evm(client: TradingKeysClient) -> Any:
            return TradingKeysAccount(client, BOT, EVM, wallet=BOT).sign_message("hello")

        def solana(client: TradingKeysClient) -> Any:
            return TradingKeysSolanaSigner(client, BOT, SOLANA, wallet=BOT).sign_transaction_message(b"message")

        self.assertEqual(self.code_of(evm, address="0x" + "ab" * 20, signature=SIGNATURE), "address_changed")
        self.assertEqual(self.code_of(evm, address=EVM.lower(), signature=SIGNATURE), "signed")
        self.assertEqual(self.code_of(solana, address=SOLANA.swapcase(), signature="5" * 87), "address_changed")


class Accounts(unittest.TestCase):
    def test_accounts_are_equal_by_their_address_and_show_no_more(self) -> None:
        client = TradingKeysClient("https://keys.example.test", "tk_secret")
        one, same = TradingKeysAccount(client, BOT, EVM), TradingKeysAccount(client, BOT, EVM.lower())
        self.assertEqual((one, hash(one)), (same, hash(same)))
        self.assertNotEqual(one, TradingKeysAccount(client, BOT, "0x" + "ab" * 20))
        self.assertNotEqual(one, EVM)
        self.assertEqual(repr(one), f"TradingKeysAccount('{EVM}')")
        self.assertEqual(repr(TradingKeysSolanaSigner(client, BOT, SOLANA)), f"TradingKeysSolanaSigner('{SOLANA}')")

    def test_a_message_is_given_once(self) -> None:
        same = [encode_defunct(b"hi"), encode_defunct(text="hi"), encode_defunct(hexstr="0x6869")]
        self.assertEqual(same, [(b"E", b"thereum Signed Message:\n2", b"hi")] * 3)
        for given in ({}, {"primitive": b"", "text": ""}):
            with self.assertRaises(ValueError):
                encode_defunct(**given)  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
