"""`moongate orders`: look an order up, list them, send money back."""

import sys
from typing import TYPE_CHECKING, Final

import click

from bot.cli.front import main, plainly, start
from bot.cli.office import actor, with_book, with_checkout
from bot.errors import NotReadyError
from bot.orders.order import OrderState
from providers.sdk.money import Money

if TYPE_CHECKING:  # what is heavy is imported when it is used
    from bot.orders.book import Book
    from bot.orders.checkout import Checkout
    from bot.orders.order import Order, Refund

_LISTED: Final = 50
_LISTED_MAX: Final = 10_000


@main.group()
def orders() -> None:
    """Look into the order book, and send money back.

    Works beside a running host, on the same store. A number is an order's, or one of its attempts' or refunds', as it
    stands in the receipt, in the institution's console or on a statement.
    """


@orders.command()
@click.argument("number")
@plainly()
def show(number: str) -> None:
    """Tell the whole story of an order: who asked, who tried to pay it, what went back, and on whose word."""

    async def story(book: "Book") -> list[str]:
        from bot.orders.rows import trail  # noqa: PLC0415  # heavy
        from bot.orders.story import told  # noqa: PLC0415  # with it

        order = await _look_up(book, number)
        return list(told(order, await book.read(lambda connection: trail(connection, order.id))))

    for line in with_book(start(), story):
        click.echo(line)


@orders.command("list")
@click.option(
    "--state", type=click.Choice([state.value for state in OrderState]), help="Only orders in this state."
)
@click.option("--user", type=int, help="Only orders of this Telegram user.")
@click.option(
    "--limit", type=click.IntRange(1, _LISTED_MAX), default=_LISTED, show_default=True, help="How many."
)
@plainly()
def list_orders(state: str | None, user: int | None, limit: int) -> None:
    """List orders, newest first: number, Beijing time, state, amount, account, title."""

    async def newest(book: "Book") -> list[str]:
        from bot.orders.rows import newest_of  # noqa: PLC0415  # heavy
        from bot.orders.story import row  # noqa: PLC0415  # with it

        wanted = OrderState(state) if state else None
        found = await book.read(lambda connection: newest_of(connection, user, limit, wanted))
        return [row(order) for order in found]

    for line in with_book(start(), newest):
        click.echo(line)


@orders.command()
@click.argument("number")
@click.option("--amount", help="Such as 9.00; without it, all that is left of the payment.")
@click.option("--reason", required=True, help="Kept in the audit; the payer may see it in their wallet.")
@click.option("--key", default="", help="A name of yours, such as a ticket's: asking twice refunds once.")
@plainly()
def refund(number: str, amount: str | None, reason: str, key: str) -> None:
    """Send part or all of a payment back.

    The amount is reserved before the institution is called. Where its answer stays out, the running host goes on
    asking under the same number; do not refund again, look with `moongate orders show`.
    """

    async def send(checkout: "Checkout") -> "Refund":
        from bot.orders.checkout import Refused  # noqa: PLC0415  # heavy

        order = await _look_up(checkout.till.book, number)
        money = _asked(amount, order)
        answer = await checkout.refund(order.id, money, reason, actor(), refund_key=key)
        if isinstance(answer, Refused):
            raise NotReadyError(f"Not refunded ({answer.why}). {answer.detail}".strip())
        return answer

    made = with_checkout(start(), send)
    click.echo(f"Refund {made.number} of {made.amount}: {made.state}. {made.note}".strip())
    if made.state == "failed":
        sys.exit(1)


@orders.command()
@click.argument("number")
@click.option("--reason", required=True, help="Kept in the audit, with your name.")
@plainly()
def settle(number: str, reason: str) -> None:
    """Lead an order out of needs_review: ask its institutions once more, and let their answer decide.

    Whatever is still open there is closed first. The order is paid when the institution says so with our number, merchant
    and amount, and failed when none was paid; where an answer stays out or does not match, nothing changes and the exit
    status is 1. Money that came with a wrong amount is given back in the institution's own console, then settled here.
    """

    async def ask(checkout: "Checkout") -> "Order":
        from bot.orders.checkout import Refused  # noqa: PLC0415  # heavy

        order = await _look_up(checkout.till.book, number)
        answer = await checkout.settle(order.id, actor(), reason)
        if isinstance(answer, Refused):
            raise NotReadyError(f"Not settled ({answer.why}). {answer.detail}".strip())
        return answer

    settled = with_checkout(start(), ask)
    click.echo(f"Order {settled.id} of {settled.amount}: {settled.state}.")


async def _look_up(book: "Book", number: str) -> "Order":
    from bot.orders.rows import find_by_number, load  # noqa: PLC0415  # heavy

    order = await book.read(lambda connection: load(connection, number))
    if order is None:
        order_id = await book.read(lambda connection: find_by_number(connection, number)) or ""
        order = await book.read(lambda connection: load(connection, order_id))
    if order is None:
        raise NotReadyError(f"Nothing in the book has the number {number}: see `moongate orders list`.")
    return order


def _asked(amount: str | None, order: "Order") -> Money:
    if amount is None:
        left = [one.amount.minor - one.refunding_minor for one in order.attempts if one.state == "paid"]
        if not sum(left):
            raise NotReadyError(f"Order {order.id} is {order.state}: nothing of it is left to refund.")
        return Money(sum(left), order.amount.currency)
    try:
        return Money.parse(amount, order.amount.currency)
    except ValueError as error:
        raise NotReadyError(f"--amount: {error}") from None
