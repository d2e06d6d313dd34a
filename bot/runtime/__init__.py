"""The host of the mini programs: an event comes in, a page's method runs, a screen is drawn. Sessions live in Redis."""

from bot.runtime.errors import RuntimeFault
from bot.runtime.runtime import Runtime
from bot.runtime.store import SessionStore

__all__ = ["Runtime", "RuntimeFault", "SessionStore"]
