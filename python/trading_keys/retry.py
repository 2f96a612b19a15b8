"""When a call is sent again, and how long it waits before."""

from __future__ import annotations

import random
import re
import time
from email.utils import parsedate_to_datetime
from typing import Callable, Optional

from .errors import ApiProblem, NoAnswer

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 5.0
#: If the API requests a longer pause than this, the caller gets the problem instead.
_LONGEST_RETRY_AFTER = 30.0
_PASSING = (429, 502, 503, 504)


def delay_before_retry(
    error: Exception, retry: int, draw: Callable[[], float] = random.random
) -> Optional[float]:
    """Seconds to wait before the next attempt, or None if another attempt would not help."""
    if isinstance(error, NoAnswer):
        return _backoff(retry, draw)
    if not isinstance(error, ApiProblem) or error.status not in _PASSING:
        return None
    # The API sends Retry-After with a 503 that passes by itself. A proxy in front of it may not.
    from_api = error.code != "unexpected_answer"
    if error.status == 503 and from_api and error.retry_after is None:
        return None
    requested = error.retry_after or 0.0
    return None if requested > _LONGEST_RETRY_AFTER else requested + _backoff(retry, draw)


def _backoff(retry: int, draw: Callable[[], float]) -> float:
    """Doubles with each retry. It is random, so that callers that failed together do not return together."""
    return draw() * min(_LONGEST_DELAY, _FIRST_DELAY * 2**retry)


def parse_retry_after(header: Optional[str], now: Optional[float] = None) -> Optional[float]:
    """RFC 9110, section 10.2.3: seconds, or a date."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header):
        return float(header)
    try:
        date = parsedate_to_datetime(header).timestamp()
    except (TypeError, ValueError):
        return None
    return max(0.0, date - (time.time() if now is None else now))
