"""The house's own web app: notifications of institutions, the one-code page, health and numbers.

It knows the till and nothing of chats; the messenger's webhook is handed in as a route.
"""

from bot.web.app import build_web
from bot.web.health import Check, build_metrics
from bot.web.listen import Listener, listen
from bot.web.tally import Tally

__all__ = ["Check", "Listener", "Tally", "build_metrics", "build_web", "listen"]
