"""Numbers for a dashboard: the till's watcher, kept in a registry of its own."""

import structlog
from prometheus_client import CollectorRegistry, Counter

log = structlog.get_logger(__name__)


class Tally:
    """`bot.orders.ports.Watch`: counts, and logs what a person must look at. Labels are few and never personal."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._events = Counter(
            "moongate_till_events",
            "What happened at the till.",
            ("event", "provider"),
            registry=self.registry,
        )
        self._alerts = Counter("moongate_till_alerts", "What a person must look at.", registry=self.registry)

    def count(self, event: str, provider: str = "") -> None:
        """One more of these."""
        self._events.labels(event, provider).inc()

    def alert(self, text: str, order_id: str = "") -> None:
        """Logged as an error, with the order to look at."""
        self._alerts.inc()
        log.error(text, order_id=order_id)
