"""What the errors of the kit say: the screen and its buttons, as the person sees them. Pure."""

from collections.abc import Iterable, Sequence

from bot.runtime.screen import Key, Screen
from bot.sandbox.kit.surface import keys_of, text_of

Standing = tuple[int, Screen]


def described(screens: Sequence[Screen], toast: str) -> str:
    """The screen for a reader: texts, then buttons, then the notice of the last tap."""
    lines = ["The screen shows:"] if screens else ["The screen is empty: open a program first."]
    for screen in screens:
        picture = "[a picture]\n" if screen.picture else ""
        lines.append(_indented(picture + text_of(screen)))
    labels = [key.label for screen in screens for key in keys_of(screen)]
    lines.append(f"Buttons: {', '.join(map(repr, labels)) or 'none'}.")
    if toast:
        lines.append(f"Notice of the last tap: {toast!r}.")
    return "\n".join(lines)


def find_key(messages: Iterable[Standing], label: str) -> tuple[int, Key] | None:
    """The newest button of that label, else one that begins so, else one that has these words in it."""
    keys = [(message_id, key) for message_id, screen in messages for key in keys_of(screen)]
    for fits in (str.__eq__, str.startswith, str.__contains__):
        found = next((pair for pair in keys if fits(pair[1].label, label)), None)
        if found is not None:
            return found
    return None


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip("\n").splitlines())
