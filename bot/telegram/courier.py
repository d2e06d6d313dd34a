"""Carries calls to the Bot API: waits when told to, tries again when it may help, gives up in bounded time."""

from typing import Final, TypeVar

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod

from bot.telegram.errors import BadTokenError, SilentError
from providers.sdk.clock import Clock

TRIES: Final = 5
PATIENCE_S: Final = 60.0  # longest wait for one call, all its pauses together
CALL_WITHIN_S: Final = 20
_PAUSE_S: Final = 0.5  # before the second try; doubles

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Courier:
    """One per bot. What Telegram refuses for good comes out as aiogram's own error."""

    def __init__(self, bot: Bot, clock: Clock) -> None:
        self._bot = bot
        self._clock = clock

    async def carry(
        self, method: TelegramMethod[T], *, tries: int = TRIES, patience_s: float = PATIENCE_S
    ) -> T:
        """Raises `SilentError` when it did not work out in time; then the call may still have had its effect.

        There is no idempotency key in the Bot API: a message whose answer was lost is sent twice rather than never.
        """
        waited_s = 0.0
        for attempt in range(1, tries + 1):
            try:
                return await self._bot(method, request_timeout=CALL_WITHIN_S)
            except TelegramUnauthorizedError as error:
                raise BadTokenError from error
            except (
                TelegramRetryAfter,
                TelegramServerError,
                TelegramNetworkError,
                ClientDecodeError,
            ) as error:
                pause_s = _pause_s(error, attempt)
                if pause_s is None:
                    raise
                if attempt == tries or waited_s + pause_s > patience_s:
                    raise SilentError(_gave_up(method, error)) from error
                _log.info("telegram_waits", method=_name(method), seconds=pause_s, cause=type(error).__name__)
            waited_s += pause_s
            await self._clock.sleep(pause_s)
        raise SilentError(f"{_name(method)} was not tried.")


def _pause_s(error: Exception, attempt: int) -> float | None:
    """How long to wait before the next try; None when another try would change nothing."""
    if isinstance(error, TelegramRetryAfter):
        return error.retry_after
    if isinstance(error, TelegramEntityTooLarge):
        return None
    # An answer in JSON that aiogram cannot read is an answer: the call had its effect.
    if isinstance(error, ClientDecodeError) and isinstance(error.data, dict):
        return None
    return _PAUSE_S * 2.0 ** (attempt - 1)


def _gave_up(method: TelegramMethod[T], error: Exception) -> str:
    if isinstance(error, TelegramRetryAfter):
        return (
            f"Telegram wants {error.retry_after} s of silence before {_name(method)}; try again after that."
        )
    return f"Telegram did not answer {_name(method)} ({type(error).__name__}); try again later."


def _name(method: TelegramMethod[T]) -> str:
    return method.__api_method__
