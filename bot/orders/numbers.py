"""Our numbers, as every institution accepts them: 27 characters of `[0-9A-Za-z]`.

The first fifteen are the moment in UTC down to the millisecond (`yyMMddHHmmssSSS`), so that numbers sort by time under
any collation and a person can read the day off a statement line. The other twelve are random: 71 bits.
"""

from datetime import datetime
from typing import Final

from providers.sdk.clock import Random

_RANDOM_LENGTH: Final = 12  # 62^12 > 2^71
_TOKEN_LENGTH: Final = 22  # 62^22 > 2^130


def new_number(now: datetime, random: Random) -> str:
    """For an order, an attempt or a refund. Never reused, also not after a failure."""
    return f"{now:%y%m%d%H%M%S}{now.microsecond // 1000:03d}{random.text(_RANDOM_LENGTH)}"


def new_token(random: Random) -> str:
    """For a link that whoever holds it may open: more than 128 random bits and nothing else."""
    return random.text(_TOKEN_LENGTH)
