"""Who uses the sandbox: anybody who writes is a person, and what they say of themselves is remembered."""

from dataclasses import replace
from typing import Final

from bot.sandbox.records import JsonRoom
from bot.sandbox.telegram.people import Person

USER_ID_MAX: Final = 2**52  # Bot API, User.id: at most 52 significant bits
_NAMES: Final = ("Lin", "Mei", "Bo", "Yan", "Tao", "Qing", "Hui", "Ning")


class People:
    """Names and languages by user id."""

    def __init__(self, drawer: JsonRoom) -> None:
        self._drawer = drawer

    def get(self, user_id: int, *, language: str | None = None, name: str | None = None) -> Person:
        """The person, with what they newly say of themselves kept."""
        record = self._drawer.get(str(user_id)) or {}
        known = Person(
            id=user_id,
            first_name=str(record.get("name", _NAMES[user_id % len(_NAMES)])),
            language=str(record.get("language", "en")),
        )
        person = replace(known, language=language or known.language, first_name=name or known.first_name)
        if person != known:
            self._drawer.put(str(user_id), {"name": person.first_name, "language": person.language})
        return person
