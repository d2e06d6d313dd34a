"""A session: what one person has open in one chat. It holds order ids nowhere and money never.

Plain records, because one is read and written with every tap. `decode` of what another version wrote gives None, and
the person starts afresh: a session is a view, the truth stands in the order book and in storage.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from miniprograms.sdk.data import Json
from miniprograms.sdk.errors import DataError
from miniprograms.sdk.limits import PROGRAMS_MAX, RENDERS_KEPT, SESSION_BYTES_MAX

VERSION: Final = 1
SEEN_MAX: Final = (
    64  # updates of one seat that can come again: Telegram repeats the unacknowledged, at most 100
)


@dataclass(slots=True)
class Frame:
    """A page on a stack. `data` is None until `on_load` has run; `code` is the version that wrote it."""

    id: int
    route: str
    query: dict[str, str]
    code: int
    data: dict[str, Json] | None = None
    ready: bool = False


@dataclass(slots=True)
class Press:
    """What a button does: call `method` of the page in frame `frame`."""

    frame: int
    method: str
    args: dict[str, Json]
    once: bool = False


@dataclass(slots=True)
class Overlay:
    """An open question over the page. `then` is empty when nobody waits for the answer."""

    frame: int
    then: str
    title: str
    content: str
    choices: list[tuple[str, dict[str, Json]]]
    takes_photo: bool = False
    takes_payer_code: bool = False


@dataclass(slots=True)
class Program:
    """One mini program as this person left it.

    `tabs` are tab pages that are alive but not on the stack. `renders` are the buttons of the last renders, newest
    first; `drawn` is the digest of what the newest shows, `serial` numbers the renders for `once` buttons.
    """

    code: int
    frames: list[Frame] = field(default_factory=list)
    tabs: list[Frame] = field(default_factory=list)
    renders: list[dict[str, Press]] = field(default_factory=list)
    drawn: str = ""
    serial: int = 0
    overlay: Overlay | None = None
    text_method: str = ""

    def frame(self, number: int) -> Frame | None:
        """The frame of that number, on the stack or among the tabs."""
        return next((frame for frame in (*self.frames, *self.tabs) if frame.id == number), None)

    def press(self, token: str) -> Press | None:
        """What the token stands for. `once` and questions count in the newest render alone."""
        for age, render in enumerate(self.renders):
            press = render.get(token)
            if press is not None and (age == 0 or not (press.once or self.overlay)):
                return press
        return None

    def remember(self, render: dict[str, Press]) -> None:
        """Make this the newest render."""
        if not self.renders or self.renders[0] != render:
            self.renders = [render, *self.renders[: RENDERS_KEPT - 1]]


@dataclass(slots=True)
class Session:
    """All of one seat. `front` is the program in front, empty when a screen of the house is.

    `epoch` makes the tokens of a session that was lost worthless in the next one.
    """

    epoch: str
    front: str = ""
    next_id: int = 1
    programs: dict[str, Program] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    v: int = VERSION

    def number(self) -> int:
        """The next number for a frame."""
        self.next_id += 1
        return self.next_id - 1

    def note_seen(self, key: str) -> None:
        """This update has had its effect."""
        self.seen.append(key)
        del self.seen[:-SEEN_MAX]

    def bring_in_front(self, app_id: str, program: Program) -> None:
        """Put it in front, and close the longest unused beyond the limit, without hooks: as a phone short of memory does."""
        self.programs.pop(app_id, None)
        self.programs[app_id] = program
        self.front = app_id
        for stale in list(self.programs)[:-PROGRAMS_MAX]:
            del self.programs[stale]

    def encode(self) -> bytes:
        """Raises `DataError` when it is too large to be read and written with every tap."""
        try:
            body = orjson.dumps(self)
        except TypeError as error:
            raise DataError(f"An argument of a button is not a JSON value: {error}.") from error
        if len(body) > SESSION_BYTES_MAX:
            heaviest = max(self.programs, key=lambda app_id: len(orjson.dumps(self.programs[app_id])))
            raise DataError(
                f"The session would have {len(body)} bytes, {SESSION_BYTES_MAX} are allowed; "
                f"most are of {heaviest}: keep long lists in storage."
            )
        return body


def decode(body: bytes | None) -> Session | None:
    """What `encode` wrote; None when there is nothing, or nothing this version understands."""
    try:
        record = orjson.loads(body or b"null")
        if not isinstance(record, dict) or record.get("v") != VERSION:
            return None
        programs = {app_id: _program(raw) for app_id, raw in record.pop("programs").items()}
        return Session(programs=programs, **record)
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
        return None


def _program(raw: dict[str, Any]) -> Program:
    raw["frames"] = [Frame(**frame) for frame in raw["frames"]]
    raw["tabs"] = [Frame(**frame) for frame in raw["tabs"]]
    raw["renders"] = [{token: Press(**press) for token, press in render.items()} for render in raw["renders"]]
    raw["overlay"] = Overlay(**raw["overlay"]) if raw["overlay"] else None
    return Program(**raw)
