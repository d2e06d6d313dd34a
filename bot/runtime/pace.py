"""How fast one person, and one group as a whole, may tap and write: a limit per process, by the house's clock.

The generic cell rate algorithm (ITU-T I.371): a minute's worth may come at once, then one at a time as it drains. One
moment is kept per person, and of those who have been quiet for long nothing.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from bot.runtime.events import Seat
from providers.sdk.clock import Clock

_MINUTE: Final = timedelta(minutes=1)
_GROUP_SHARE: Final = 5  # a group may do what five people may
_REMEMBERED_MAX: Final = 50_000


class Pace:
    """`per_minute` is one person's."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._each = _MINUTE / per_minute
        self._clock = clock
        self._full_at: OrderedDict[int, datetime] = OrderedDict()

    def lets(self, seat: Seat) -> bool:
        """Whether this one may pass. What may not is not counted: to wait is enough."""
        costs = {seat.user_id: self._each}
        if seat.chat_id != seat.user_id:
            costs[seat.chat_id] = self._each / _GROUP_SHARE
        now = self._clock.now()
        due = {key: max(self._full_at.get(key, now), now) + cost for key, cost in costs.items()}
        if any(moment - now > _MINUTE for moment in due.values()):
            return False
        for key, moment in due.items():
            self._full_at[key] = moment
            self._full_at.move_to_end(key)
        while len(self._full_at) > _REMEMBERED_MAX:
            self._full_at.popitem(last=False)
        return True
