"""A wallet in a person's hand, as a test speaks of it (`miniprograms.sdk.testing.PlayWallet`)."""

from typing import TYPE_CHECKING, Final

from bot.orders.order import AttemptState, Order, OrderState
from bot.runtime.cashier import Verb, write_key
from bot.sandbox.kit.claim import claim
from bot.sandbox.kit.scan import Phone, Scanned, wallets_at_till
from bot.sandbox.kit.street import Branch
from bot.sandbox.kit.surface import keys_of
from bot.sandbox.purses import mint
from miniprograms.sdk.testing.vocabulary import PlayError
from providers.sdk.gateway import Bill, BillGone, Fault, Notification, PurseRefused
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet

if TYPE_CHECKING:
    from bot.sandbox.kit.person import PersonChat

_OVER: Final = frozenset({OrderState.CANCELLED, OrderState.EXPIRED, OrderState.FAILED})
_SILENCES: Final = 1_000_000
_A_WHILE_S: Final = 1800
_PASSWORD_TAKES_S: Final = 12  # longer than the pause between two questions of the host
_AT_TILL_S: Final = 30
_WHILES_MAX: Final = 100


class PersonWallet:
    """`kind` None: whichever can pay what is shown; once it has been used it stays that one while it can pay."""

    def __init__(self, chat: "PersonChat", kind: Wallet | None = None) -> None:
        self._chat, self._world = chat, chat.world
        self._phone, self._fixed = Phone(chat, kind), kind

    @property
    def kind(self) -> Wallet:
        return self._fixed or self._phone.wallet_for(self._phone.order())

    @property
    def charged(self) -> Money:
        wallet = self._phone.used
        taken = (-minor for kind, minor, _ in self._world.purses.moves if kind is wallet and minor < 0)
        return Money(sum(taken), _currency(wallet))

    @property
    def balance(self) -> Money:
        wallet = self._phone.used or self.kind
        return Money(self._world.purses.left[wallet], _currency(wallet))

    def scan(self, code: str = "") -> Bill:
        return self._phone.scan(code).bill

    def approve(self) -> "PersonChat":
        hand = self._phone.in_hand()
        self._deliver(hand, self._settle(hand))
        return self._chat

    def claim(self, link: str) -> "PersonChat":
        claim(self._world, self.kind, link)
        return self._chat

    def cancel(self) -> "PersonChat":
        hand = self._phone.in_hand()
        wanted = write_key(hand.order_id, Verb.CANCEL)
        for message_id, screen in self._world.surface.from_newest(self._chat.user_id):
            for key in keys_of(screen):
                if key.data == wanted:
                    self._chat.press(message_id, key)
                    self._wait_for_end(hand)
                    return self._chat
        raise PlayError(f"There is no button to cancel the payment.\n{self._chat.described()}")

    def decline(self, *, give_up: bool = True) -> "PersonChat":
        hand = self._phone.in_hand()
        purses = self._world.purses
        held, purses.left[hand.wallet] = purses.left[hand.wallet], 0
        try:
            hand.branch.gateway.settle(hand.bill.id, hand.wallet)
        except PurseRefused:
            pass  # as it should be
        else:
            raise PlayError(f"{hand.branch.name} took money that the wallet does not hold.")
        finally:
            purses.left[hand.wallet] = held
        if give_up:
            self._wait_for_end(hand)
        return self._chat

    def pending(self) -> "PersonChat":
        order = self._phone.payable_order()
        if any(attempt.open and attempt.called_at for attempt in order.attempts):
            raise PlayError("The institution has answered already: pending() comes before a scan.")
        branch = self._phone.branch_for(order)
        branch.faults.arm(Fault.TIMEOUT_AFTER)
        self._world.act(self._world.checkout.open(order.id, self._phone.wallet_for(order)))
        branch.faults.clear()
        attempt = self._phone.find(order.id).attempts[-1]
        if attempt.state is not AttemptState.UNKNOWN:
            raise PlayError(f"{branch.name} was not silent: the attempt is {attempt.state}.")
        return self._chat

    def late(self, after_s: int = 300) -> "PersonChat":
        seen = self._phone.scanned
        if seen is not None and self._order_of(seen).state in _OVER:
            return self._arrive_after_all(seen)
        hand = self._phone.in_hand()
        post = self._settle(hand)
        hand.branch.faults.arm(Fault.TIMEOUT_BEFORE, _SILENCES)
        self._world.advance(after_s)
        hand.branch.faults.clear()
        return self._arrive(hand, post)

    def duplicate(self, times: int = 2) -> "PersonChat":
        seen = self._phone.scanned
        if seen is None or not self._order_of(seen).paid:
            self.approve()
            seen = self._phone.in_hand(paid=True)
        self._deliver(seen, seen.branch.courier.sent[-1:] * (times - 1))
        return self._chat

    def show_code(self, *, password: bool = False) -> str:
        wallet = self._phone.at_till()
        code = mint(wallet, self._world.random)
        self._world.purses.show(code, wallet)
        if password:
            faults = self._till().faults
            faults.arm(Fault.USER_PAYING)
            faults.arm(Fault.PAYER_LINGERS, _SILENCES)
        return code

    def hand_over(self, *, password: bool = False) -> "PersonChat":
        return self._chat.send_code(self.show_code(password=password))

    def enter_password(self) -> "PersonChat":
        self._till().faults.disarm(Fault.PAYER_LINGERS)
        self._world.advance(_PASSWORD_TAKES_S)
        return self._chat

    def walk_away(self) -> "PersonChat":
        order = self._phone.order()
        for _ in range(_WHILES_MAX):
            if not any(attempt.open and attempt.called_at for attempt in self._phone.find(order.id).attempts):
                self._till().faults.clear()
                return self._chat
            self._world.advance(_AT_TILL_S)
        raise PlayError(f"The charge is not reversed.\n{self._chat.described()}")

    def _till(self) -> Branch:
        """The institution that charges this wallet's codes."""
        branches = self._world.street
        return next(branch for branch in branches if self._phone.at_till() in wallets_at_till(branch))

    def _settle(self, hand: Scanned) -> list[Notification]:
        """The payer confirms. The institution's post is handed over, not delivered."""
        try:
            hand.branch.gateway.settle(hand.bill.id, hand.wallet)
        except (BillGone, PurseRefused) as refusal:
            raise PlayError(f"The wallet says: {refusal}\n{self._chat.described()}") from refusal
        return hand.branch.courier.take()

    def _deliver(self, hand: Scanned, post: list[Notification], *, again: bool = False) -> None:
        for notification in post:
            self._world.street.send(hand.branch, notification, again=again)
        self._world.settle()

    def _arrive_after_all(self, hand: Scanned) -> "PersonChat":
        """The institution had closed the bill while the payment was on its way inside: it counts.

        Where the bill is over by the clock, it was paid when it was scanned.
        """
        now = self._world.clock.now()
        expired = self._order_of(hand).state is OrderState.EXPIRED
        hand.branch.stand_as(hand.texts, hand.bill.number)
        self._world.clock.advance((hand.at - now).total_seconds() if expired else 0)
        post = self._settle(hand)
        self._world.clock.advance((now - self._world.clock.now()).total_seconds())
        return self._arrive(hand, post)

    def _arrive(self, hand: Scanned, post: list[Notification]) -> "PersonChat":
        """Where the old notification is not believed, the host finds the money when it asks."""
        self._deliver(hand, post, again=True)
        for _ in range(_WHILES_MAX):
            if self._order_of(hand).paid:
                return self._chat
            self._world.advance(_A_WHILE_S)
        raise PlayError(f"Nobody noticed the late payment.\n{self._chat.described()}")

    def _wait_for_end(self, hand: Scanned) -> None:
        """Institutions that close by time only take theirs."""
        for _ in range(_WHILES_MAX):
            order = self._order_of(hand)
            if order.state is not OrderState.PENDING:
                return
            left_s = (order.expires_at - self._world.clock.now()).total_seconds()
            self._world.advance(left_s if left_s > 0 and order.ending is None else _A_WHILE_S)
        raise PlayError(f"The order does not end.\n{self._chat.described()}")

    def _order_of(self, hand: Scanned) -> Order:
        return self._phone.find(hand.order_id)


class PersonWallets:
    """All wallets of one person, by name."""

    def __init__(self, chat: "PersonChat") -> None:
        self._chat = chat
        self._wallets: dict[str, PersonWallet] = {}

    def __getitem__(self, kind: str) -> PersonWallet:
        taken = {wallet for branch in self._chat.world.street for wallet in branch.plugin.info.wallets}
        if kind not in taken:
            names = ", ".join(wallet for wallet in Wallet if wallet in taken)
            raise PlayError(f"No installed provider takes the wallet {kind!r}. There are: {names or 'none'}.")
        return self._wallets.setdefault(kind, PersonWallet(self._chat, Wallet(kind)))


def _currency(wallet: Wallet | None) -> str:
    return "XTR" if wallet is Wallet.TELEGRAM else "CNY"
