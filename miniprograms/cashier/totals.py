"""A day at the till in numbers, and as a picture: what came, when, by which wallet, and what went back."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from miniprograms.sdk import Money, OrderRecord, PageData, Wallet, beijing, wallet_name

_WIDTH: Final = 960
_MARGIN: Final = 48
_TOP: Final = 262
_ROW: Final = 46
_GAP: Final = 40
_HOURS_HEIGHT: Final = 210
_PAPER, _CARD, _LINE = "#f4f1ea", "#ffffff", "#d8d2c4"
_INK, _FAINT, _JADE, _RUST = "#1c2b29", "#7b827d", "#0b6e5f", "#b4541f"
# The colours people know the wallets by.
_COLOURS: Final = {
    Wallet.WECHAT: "#1aad19", Wallet.ALIPAY: "#1677ff", Wallet.QUICKPASS: "#c8102e", Wallet.BANK: "#5b6b8c",
    Wallet.CMPAY: "#e4007f", Wallet.BESTPAY: "#f2a900", Wallet.UNICOMPAY: "#d9541e", Wallet.ECNY: "#8a6d3b",
}  # fmt: skip


class Totals(PageData):
    """Minor units of yuan. `by_wallet` and `by_hour` (of Beijing) are what came, before refunds."""

    count: int = 0
    came: int = 0
    went_back: int = 0
    waiting: int = 0  # orders that are not decided yet
    by_wallet: dict[str, int] = {}  # noqa: RUF012  # a field of the data, copied for each
    by_hour: dict[str, int] = {}  # noqa: RUF012  # likewise

    @property
    def stays(self) -> Money:
        """What is left after refunds."""
        return Money(self.came - self.went_back, "CNY")


def total(orders: Iterable[OrderRecord]) -> Totals:
    """Add up a day. A refund on its way counts as gone."""
    sums = Totals()
    for order in orders:
        if not order.paid or order.wallet is None:
            sums = sums.changed({"waiting": sums.waiting + (order.status == "pending")})
            continue
        hour = beijing(order.paid_at or order.placed_at, "%H")
        sums = sums.changed({
            "count": sums.count + 1,
            "came": sums.came + order.amount.minor,
            "went_back": sums.went_back + (order.refunded + order.refunding).minor,
            "by_wallet": _more(sums.by_wallet, order.wallet, order.amount),
            "by_hour": _more(sums.by_hour, hour, order.amount),
        })  # fmt: skip
    return sums


def draw(totals: Totals, day: str) -> bytes:
    """A PNG, readable on a telephone. Its words are in English: the picture is made with a font of Latin letters."""
    wallets = sorted(totals.by_wallet.items(), key=lambda item: -item[1])
    height = _TOP + max(1, len(wallets)) * _ROW + _GAP + _HOURS_HEIGHT + 2 * _MARGIN
    picture = Image.new("RGB", (_WIDTH, height), _PAPER)
    sheet = _Sheet(ImageDraw.Draw(picture))
    _draw_head(sheet, totals, day)
    below = _draw_wallets(sheet, wallets, top=_TOP)
    _draw_hours(sheet, totals.by_hour, top=below + _GAP)
    out = io.BytesIO()
    picture.quantize(64, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class _Sheet:
    pen: ImageDraw.ImageDraw

    def write(self, x: int, y: int, text: str, size: int, colour: str = _INK, *, anchor: str = "ls") -> None:
        self.pen.text((x, y), text, fill=colour, font=ImageFont.load_default(size), anchor=anchor)

    def bar(self, x: int, y: int, width: int, height: int, colour: str) -> None:
        if width > 0 and height > 0:
            box = (x, y, x + width, y + height)
            self.pen.rounded_rectangle(box, radius=min(6, width // 2, height // 2), fill=colour)


def _draw_head(sheet: _Sheet, totals: Totals, day: str) -> None:
    right = _WIDTH - _MARGIN
    sheet.write(_MARGIN, 66, day, 30, _FAINT)
    sheet.write(right, 66, f"{totals.count} paid", 30, _FAINT, anchor="rs")
    sheet.write(_MARGIN, 158, _grouped(totals.stays.minor), 84, _JADE)
    sheet.write(right, 158, "CNY", 40, _FAINT, anchor="rs")
    line = f"{_grouped(totals.came)} came"
    if totals.went_back:
        line += f", {_grouped(totals.went_back)} went back"
    sheet.write(_MARGIN, 208, line, 30, _RUST if totals.went_back else _FAINT)
    if totals.waiting:
        sheet.write(right, 208, f"{totals.waiting} still open", 30, _RUST, anchor="rs")
    sheet.pen.line((_MARGIN, 236, right, 236), fill=_LINE, width=2)


def _draw_wallets(sheet: _Sheet, wallets: list[tuple[str, int]], *, top: int) -> int:
    """A bar for each wallet; where the next part may begin."""
    left, right = _MARGIN + 300, _WIDTH - _MARGIN - 190
    most = wallets[0][1] if wallets else 1
    if not wallets:
        sheet.write(_MARGIN, top + 30, "Nothing was paid yet.", 28, _FAINT)
    for row, (name, minor) in enumerate(wallets):
        y = top + row * _ROW
        wallet = Wallet(name)
        sheet.write(_MARGIN, y + 30, wallet_name(wallet, "en").removeprefix("China "), 26)
        sheet.bar(left, y + 8, max(6, (right - left) * minor // most), 26, _COLOURS.get(wallet, _JADE))
        sheet.write(_WIDTH - _MARGIN, y + 30, _grouped(minor), 28, anchor="rs")
    return top + max(1, len(wallets)) * _ROW


def _draw_hours(sheet: _Sheet, by_hour: dict[str, int], *, top: int) -> None:
    """Twenty-four columns; the highest is named."""
    right, base = _WIDTH - _MARGIN, top + _HOURS_HEIGHT
    box = (_MARGIN - 16, top - 16, right + 16, base + 48)
    sheet.pen.rounded_rectangle(box, radius=16, fill=_CARD, outline=_LINE)
    most = max(by_hour.values(), default=0)
    step = (right - _MARGIN) // 24
    for hour in range(24):
        minor = by_hour.get(f"{hour:02d}", 0)
        x = _MARGIN + hour * step
        height = (_HOURS_HEIGHT - 44) * minor // most if most else 0
        sheet.bar(
            x + 5, base - max(height, 6 if minor else 0), step - 10, max(height, 6 if minor else 0), _JADE
        )
        sheet.bar(x + 5, base + 2, step - 10, 3, _LINE)
        if hour % 3 == 0:
            sheet.write(x + step // 2, base + 36, f"{hour:02d}", 24, _FAINT, anchor="ms")
        if minor and minor == most:
            sheet.write(
                min(max(x + step // 2, 120), _WIDTH - 120),
                base - height - 10,
                _grouped(minor),
                24,
                anchor="ms",
            )


def _more(sums: dict[str, int], key: str, amount: Money) -> dict[str, int]:
    return {**sums, str(key): sums.get(key, 0) + amount.minor}


def _grouped(minor: int) -> str:
    """`4,769.50`: the font has no sign for the yuan, so it stands once beside the sum."""
    yuan, fen = divmod(minor, 100)
    return f"{yuan:,}.{fen:02d}"
