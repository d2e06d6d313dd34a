"""Eyes on the till for a host that brings none of its own: the log."""

from typing import Final

import structlog

_log: Final = structlog.get_logger("moongate.orders")


class LogWatch:
    """Alerts are errors in the log; counts are debug lines."""

    def count(self, event: str, provider: str = "") -> None:
        """One more of these."""
        _log.debug("count", counted=event, provider=provider)

    def alert(self, text: str, order_id: str = "") -> None:
        """A person must look."""
        _log.error("alert", text=text, order_id=order_id)
