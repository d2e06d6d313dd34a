"""The screens of the house itself: the list of programs, help, and the way out when a page is broken. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.runtime.screen import Key, Screen
from bot.texts import translator
from miniprograms.sdk.app import App
from miniprograms.sdk.limits import BUTTONS_MAX, CAPTION_UNITS_MAX, TEXT_UNITS_MAX, text_units
from miniprograms.sdk.view import Bold, Style, Text


class Door(StrEnum):
    """What a button of the house asks for."""

    APPS = "apps"
    OPEN = "open"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class HouseKey:
    """A tapped button of the house: `h:open:<app_id>`. A client can send any."""

    door: Door
    app_id: str = ""


def read_key(data: str) -> HouseKey | None:
    """None when this is no button of the house."""
    if not data.startswith("h:"):
        return None
    door, _, app_id = data.removeprefix("h:").partition(":")
    return HouseKey(Door(door), app_id) if door in set(Door) else None


def apps_screen(programs: Iterable[App], language: str) -> Screen:
    """A button for each program, by title."""
    _ = translator(language)
    manifests = sorted((app.manifest for app in programs), key=lambda manifest: manifest.title)
    rows = tuple(
        (Key(manifest.title, f"h:{Door.OPEN}:{manifest.app_id}"),) for manifest in manifests[:BUTTONS_MAX]
    )
    text = _("Choose a mini program:") if rows else _("No mini program is installed.")
    return Screen((Text(text),), rows)


def help_screen(language: str) -> Screen:
    """What one can do here."""
    _ = translator(language)
    lines = (
        "/apps  " + _("the mini programs"),
        "/orders  " + _("your orders and receipts"),
        "/help  " + _("this text"),
        "📷  " + _("a photo or the text of any code: what it is, and which wallets can pay it"),
    )
    return Screen(
        (Bold(_("Mini programs, paid with any wallet.")), Text("\n\n" + "\n".join(lines))),
        ((Key(_("Mini programs"), f"h:{Door.APPS}"),),),
    )


def broken_screen(app_id: str, language: str) -> Screen:
    """A page cannot be shown at all: never a dead end."""
    _ = translator(language)
    return Screen(
        (Text(_("This page cannot be shown at the moment. Your orders and what you have saved are safe.")),),
        (
            (Key(_("Start again"), f"h:{Door.RESTART}:{app_id}"),),
            (Key(_("Mini programs"), f"h:{Door.APPS}"),),
        ),
    )


def with_notice(screen: Screen, notice: str) -> Screen:
    """The screen with a passing line under it, where there is no tap to answer. Left out when there is no room."""
    if not notice:
        return screen
    body = (*screen.body, Text("\n\n"), Text(notice, Style.ITALIC))
    limit = CAPTION_UNITS_MAX if screen.picture else TEXT_UNITS_MAX
    fits = sum(text_units(node.content) for node in body) <= limit
    return replace(screen, body=body) if fits else screen
