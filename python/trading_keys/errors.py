"""What calls raise. None of these holds a token, a key or a body."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence


class ApiProblem(Exception):
    """The API rejected the request, or could not carry it out (RFC 9457)."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int,
        request_id: Optional[str] = None,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        #: A code of the API, or ``unexpected_answer`` if something else responded in its place.
        self.code = code
        self.status = status
        #: The operator finds the request by it.
        self.request_id = request_id
        #: Where the request does not fit its schema.
        self.errors = tuple(errors)
        #: Seconds to wait before a retry.
        self.retry_after = retry_after


class NoAnswer(Exception):
    """No response arrived, so it is not known whether the call was carried out."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        #: ``timeout`` or ``unreachable``.
        self.code = code


class SigningError(Exception):
    """Nothing was signed, or the signature was not handed on.

    ``code`` is one of:

    - ``address_changed``: the wallet has another key now. Create the account or signer again.
    - ``signature_mismatch``: the response is not a signature of the request.
    - ``unsupported_hash``: the API signs no bare hashes.
    - ``unsupported_message``: the message has a form of EIP-191 that the API does not sign.
    - ``unsupported_authorization``: the API signs no EIP-7702 authorizations.
    - ``unsupported_transaction``: the transaction has a format that this package does not know.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
