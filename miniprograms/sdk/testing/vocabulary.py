"""What a test may say. The host implements it; mini programs and their tests know only these words."""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from miniprograms.sdk.app import App
from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from miniprograms.sdk.refund import RefundResult
from miniprograms.sdk.route import QueryValue
from providers.sdk.gateway import Bill
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet


class PlayError(AssertionError):
    """The chat is not as the test says, or a step is not possible. The text shows the screen and its buttons."""


class OrderLine(Protocol):
    """An order as the book has it."""

    @property
    def id(self) -> str: ...

    @property
    def amount(self) -> Money: ...

    @property
    def state(self) -> str:
        """Such as `pending`, `paid`, `cancelled`, `expired`, `failed`, `paid_late`, `refunded`."""
        ...


class Chat(Protocol):
    """One person's chat with the bot. Steps return the chat, so that they can be joined.

    An error that a page raises in a step is raised by that step, after the host has undone the turn and told the
    person: `with pytest.raises(KeyError): chat.tap("Boom")`.
    """

    name: str
    language: str

    @property
    def wallet(self) -> "PlayWallet":
        """The first wallet that can pay what is shown."""
        ...

    @property
    def wallets(self) -> "PlayWallets":
        """Every wallet that some installed provider takes: `chat.wallets["quickpass"]`."""
        ...

    def open(self, program: str | App, path: str = "", **query: QueryValue) -> Self:
        """Follow a link into a program, given by its `app_id` or as the `App` itself, which need not be installed."""
        ...

    def launch(self, path: str = "", **query: QueryValue) -> Self:
        """Follow a link to a page of the program that was opened last."""
        ...

    def send(self, text: str) -> Self:
        """Write a line; `/start`, `/apps`, `/orders` and `/help` are commands."""
        ...

    def send_code(self, text: str) -> Self:
        """Send a picture of a QR code that holds this text."""
        ...

    def tap(self, label: str, *, twice: bool = False) -> Self:
        """Tap the newest button with that label, or one that begins so, or one that has these words in it.

        `twice` is a nervous thumb: both taps are on their way before the first is answered. A button that is a link
        into this bot is followed; one to any other address cannot be.
        """
        ...

    def follow(self, address: str) -> Self:
        """Follow a link into this bot that somebody has passed on, such as one from another chat's `link`."""
        ...

    def link(self, label: str) -> str:
        """The address behind a button that opens one."""
        ...

    def see(self, text: str) -> Self:
        """The screen has this text, or the notice of the last tap has. Raises `PlayError`."""
        ...

    def not_see(self, text: str) -> Self:
        """Neither the screen nor the notice has it. Raises `PlayError`."""
        ...

    @property
    def screen(self) -> str:
        """What stands in front of the person: the last two messages of the bot, so a page and its cashier."""
        ...

    @property
    def history(self) -> str:
        """Every message of the bot that still stands in the chat, oldest first."""
        ...

    @property
    def buttons(self) -> tuple[str, ...]:
        """The labels on the screen, top to bottom."""
        ...

    @property
    def ways_on(self) -> tuple[str, ...]:
        """The buttons on the screen that the bot hears of, and `(write)` where the page asks for a line of text."""
        ...

    @property
    def toast(self) -> str:
        """The notice that answered the last tap; empty when there was none, and once the person does something else."""
        ...

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The labels of taps that were never answered: a spinner that goes on. There are none in a sound host."""
        ...

    @property
    def results(self) -> tuple[PaymentResult, ...]:
        """What `on_payment` of this person's pages has heard, in order."""
        ...

    @property
    def refunds(self) -> tuple[RefundResult, ...]:
        """What `on_refund` of this person's pages has heard, in order."""
        ...

    @property
    def payouts(self) -> tuple[PayoutResult, ...]:
        """What `on_payout` of this person's pages has heard, in order."""
        ...

    @property
    def shown_code(self) -> str:
        """The text of the code that the person's screen shows. Raises `PlayError` when there is none."""
        ...

    @property
    def orders(self) -> Sequence[OrderLine]:
        """This person's orders, newest first."""
        ...

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> Self:
        """Let time pass. Everything that falls due meanwhile happens at its moment."""
        ...

    def restart_host(self, *, on_post: bool = False) -> Self:
        """Kill the host and start another on the same stores: now, or when the next notification is just stored."""
        ...


class PlayWallet(Protocol):
    """A wallet in this person's hand, with play money. It looks at the code that the person's chat shows."""

    @property
    def kind(self) -> Wallet:
        """Which wallet it is. Raises `PlayError` while nothing is shown that could decide it."""
        ...

    def scan(self, code: str = "") -> Bill:
        """Scan the shown code, or any other text, and look at the bill. Raises `PlayError` when it cannot be paid."""
        ...

    def approve(self) -> Chat:
        """Scan unless that is done, and pay. The institution's notification arrives; the page hears `paid`."""
        ...

    def claim(self, link: str) -> Chat:
        """Open a claim link in this wallet, take the money, and accept it where the institution asks its payees.

        The kind must be named: `chat.wallets["wechat"].claim(chat.shown_code)`. Raises `PlayError` with the reason.
        """
        ...

    def cancel(self) -> Chat:
        """Scan unless that is done, think better of it, and tap Cancel in the chat. The page hears `cancelled`."""
        ...

    def decline(self, *, give_up: bool = True) -> Chat:
        """The wallet refuses to pay. Its owner gives up: the order's time runs out and the page hears `failed`.

        With `give_up=False` the order stays open for another wallet, and the page hears nothing.
        """
        ...

    def pending(self) -> Chat:
        """The institution takes the order and never answers: nobody knows. The page hears `pending`.

        It comes before a scan. Afterwards the order can be paid, or time can pass, as always.
        """
        ...

    def late(self, after_s: int = 300) -> Chat:
        """Pay; the institution is silent for so long, then tells. The page hears `paid`.

        After `cancel` or an expiry: the payment was on its way and arrives all the same.
        """
        ...

    def duplicate(self, times: int = 2) -> Chat:
        """Pay unless that is done; the notification arrives `times` times in all. The page hears `paid` once."""
        ...

    def show_code(self, *, password: bool = False) -> str:
        """Show a payer's code, a new one each time. With `password`, its charge waits for `enter_password`."""
        ...

    def hand_over(self, *, password: bool = False) -> Chat:
        """Show a payer's code, and the person in the chat photographs it."""
        ...

    def enter_password(self) -> Chat:
        """Enter the password that the last charge by payer code asks for; the host hears of it when it asks next."""
        ...

    def walk_away(self) -> Chat:
        """Never enter it: time passes until the charge is reversed and certain to be."""
        ...

    @property
    def charged(self) -> Money:
        """What was taken from it so far."""
        ...

    @property
    def balance(self) -> Money:
        """What it holds: play money, the same at the start of every test."""
        ...


class PlayWallets(Protocol):
    """The wallets by name: `wallets["alipay"]`."""

    def __getitem__(self, kind: str) -> PlayWallet: ...


class World(Protocol):
    """One bot, its people, and the institutions, on one clock."""

    @property
    def programs(self) -> Mapping[str, App]:
        """The mini programs, by `app_id`."""
        ...

    @property
    def chat(self) -> Chat:
        """The chat of the first person."""
        ...

    @property
    def log(self) -> Sequence[Mapping[str, object]]:
        """What the host has logged, oldest first."""
        ...

    def person(self, name: str, language: str = "en") -> Chat:
        """The chat of a person of that name; the same name is the same person."""
        ...

    def advance(self, seconds: float) -> None:
        """As `Chat.advance`."""
        ...

    def restart_host(self, *, on_post: bool = False) -> None:
        """As `Chat.restart_host`."""
        ...

    def close(self) -> None:
        """The end of the world. The fixture calls it."""
        ...
