"""The phone in a person's hand: it reads the code that the chat shows, and knows the bill behind it.

A scanned one code is answered as the one-code page answers a wallet's web view: an attempt is opened for that wallet.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from bot.orders.answers import Opened, Why
from bot.orders.order import Attempt, Order
from bot.orders.routing import Offer, best_per_wallet
from bot.runtime.cashier import refusal_text
from bot.runtime.scanner import read_code
from bot.sandbox.kit.street import WEB_URL, Branch
from bot.sandbox.switch import NotCleared, clearing
from miniprograms.sdk.testing.vocabulary import PlayError
from providers.sdk.clock import BEIJING
from providers.sdk.contract import Way
from providers.sdk.gateway import Bill, BillGone
from providers.sdk.wallets import Wallet, wallet_name

if TYPE_CHECKING:
    from bot.sandbox.kit.person import PersonChat

_ONE_CODE: Final = f"{WEB_URL}/p/"
_SCANNABLE: Final = (Way.MERCHANT_CODE, Way.LINK)
_TRIES_MAX: Final = 20
_PAUSE_S: Final = 5


@dataclass(frozen=True, slots=True)
class Scanned:
    """A bill on the wallet's screen. `texts` is the institution's drawer as it was then."""

    wallet: Wallet
    branch: Branch
    bill: Bill
    order_id: str
    at: datetime
    texts: dict[str, str] = field(repr=False)


def wallets_at_till(branch: Branch) -> frozenset[Wallet]:
    """Whose payer codes that institution charges."""
    info = branch.plugin.info
    return info.wallets if Way.PAYER_CODE in info.ways else frozenset()


class Phone:
    """One wallet, or, with `fixed` None, whichever can pay what is shown."""

    def __init__(self, chat: "PersonChat", fixed: Wallet | None) -> None:
        self._chat, self._world = chat, chat.world
        self._fixed = fixed
        self.used = fixed
        self.scanned: Scanned | None = None

    def order(self) -> Order:
        """The order whose cashier stands lowest in the chat, as it is now."""
        orders = self._chat.orders
        if not orders:
            raise PlayError(f"Nothing is to be paid here.\n{self._chat.described()}")
        return max(orders, key=lambda order: (order.message_id or 0, order.created_at))

    def payable_order(self) -> Order:
        """The same, if it can still be paid."""
        order = self.order()
        if not order.payable:
            state = f"being {order.ending}" if order.ending else order.state
            raise PlayError(f"The newest order is {state}; nothing is to be paid.\n{self._chat.described()}")
        return order

    def find(self, order_id: str) -> Order:
        """The order as it stands now."""
        order = self._world.act(self._world.checkout.find(order_id))
        if order is None:
            raise PlayError(f"There is no order {order_id!r}.")
        return order

    def wallet_for(self, order: Order) -> Wallet:
        """The wallet that is used for this order. Raises `PlayError` when it cannot pay it."""
        can = [offer.wallet for offer in self._offers(order)]
        if self._fixed is not None and self._fixed not in can:
            raise PlayError(
                f"{wallet_name(self._fixed, 'en')} cannot pay this order. These can: {', '.join(can) or 'none'}."
            )
        latest = order.attempts[-1] if order.attempts else None
        chosen = latest.wallet if latest and latest.usable(self._world.clock.now()) else self.used
        if not can:
            raise PlayError(f"No wallet can pay this order.\n{self._chat.described()}")
        return self._fixed or (chosen if chosen in can else can[0])

    def at_till(self) -> Wallet:
        """The wallet whose payer code is shown. Raises `PlayError` where no institution takes its codes."""
        taken = {wallet for branch in self._world.street for wallet in wallets_at_till(branch)}
        wallet = self._fixed or self.used or next((wallet for wallet in Wallet if wallet in taken), None)
        if wallet is None or wallet not in taken:
            raise PlayError(f"No institution here takes payer codes of {wallet or 'any wallet'}.")
        self.used = wallet
        return wallet

    def branch_for(self, order: Order) -> Branch:
        """The institution through which that wallet would pay."""
        self.used = wallet = self.wallet_for(order)
        offer = next(offer for offer in self._offers(order) if offer.wallet is wallet)
        return self._world.street.branches[offer.provider]

    def in_hand(self, *, paid: bool = False) -> Scanned:
        """The bill that was scanned, if it is still the one to pay; else what a scan gives now."""
        if self.scanned is not None and (paid or self._is_current(self.scanned)):
            return self.scanned
        return self.scan()

    def scan(self, code: str = "") -> Scanned:
        """Read the shown code, or take this text, and look at the bill. Raises `PlayError`."""
        order = self.payable_order()
        self.used = wallet = self.wallet_for(order)
        text = code or self._shown_code()
        if not text or text.startswith(_ONE_CODE):
            attempt = self._opened(order, wallet)
            text = attempt.code or attempt.link or ""
        branch, bill = self._recognise(text)
        now = self._world.clock.now()
        try:
            clearing(wallet, branch.plugin.info, now.astimezone(BEIJING).date())
        except NotCleared as refusal:
            raise PlayError(f"{refusal} Tap another wallet in the chat first.") from refusal
        self.scanned = Scanned(wallet, branch, bill, order.id, now, dict(branch.drawer.texts))
        return self.scanned

    def _is_current(self, scanned: Scanned) -> bool:
        order = self.order()
        usable = (attempt.number for attempt in order.attempts if attempt.usable(self._world.clock.now()))
        return order.payable and scanned.bill.number in usable

    def _offers(self, order: Order) -> tuple[Offer, ...]:
        """One per wallet, best first; only what a wallet's camera can take up."""
        return best_per_wallet(self._world.checkout.offers(order, _SCANNABLE))

    def _shown_code(self) -> str:
        """What the camera reads off the chat; empty where an order is paid by a link."""
        pictures = [screen.picture for screen in self._chat.in_sight() if screen.picture]
        return (read_code(pictures[-1]) or "") if pictures else ""

    def _opened(self, order: Order, wallet: Wallet) -> Attempt:
        why = Why.CHECKING
        for _ in range(_TRIES_MAX):
            answer = self._world.act(self._world.checkout.open(order.id, wallet))
            if isinstance(answer, Opened):
                return answer.attempt
            why = answer.why
            if why is not Why.CHECKING:
                break
            self._world.advance(_PAUSE_S)  # the person tries again in a moment
        raise PlayError(f"{wallet_name(wallet, 'en')} shows: {refusal_text(why, 'en')}")

    def _recognise(self, text: str) -> tuple[Branch, Bill]:
        for branch in self._world.street:
            try:
                bill = branch.gateway.recognise(text)
            except BillGone as gone:
                raise PlayError(f"The wallet says: {gone}") from gone
            if bill is not None:
                return branch, bill
        raise PlayError(f"No institution here has issued the code {text!r}.")
