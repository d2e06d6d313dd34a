"""What a page or an app may ask of the host during one turn.

Every call returns at once. What a person must answer (a dialog, a payment) is answered later by another method, in
another turn and perhaps in another process: whoever waits for a person while a turn is open would lock the chat.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeVar, cast

from miniprograms.sdk.data import Json, encode
from miniprograms.sdk.errors import AuthorError
from miniprograms.sdk.limits import PAYOUT_EXPIRES_DEFAULT_S, SHEET_ITEMS_MAX
from miniprograms.sdk.payment import IfLate, PaymentRequest, ShownCode
from miniprograms.sdk.payout import Claim, PayoutOffer
from miniprograms.sdk.records import OrderRecord
from miniprograms.sdk.refund import RefundRequest
from miniprograms.sdk.route import Api, Move, QueryValue, read_url
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet

Answered = Callable[..., Awaitable[None]]
_Default = TypeVar("_Default")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageInfo:
    """`wx.getStorageInfo`, in bytes where WeChat says kilobytes."""

    keys: tuple[str, ...]
    current_bytes: int
    limit_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A dialog that lies over the page until it is answered by one of `choices`: (label, arguments of `then`).

    `takes_photo`: a picture of a code answers it, too. `takes_payer_code`: only a payer's code does, or its digits.
    """

    title: str
    content: str
    then: Answered | None
    choices: tuple[tuple[str, dict[str, Json]], ...]
    takes_photo: bool = False
    takes_payer_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the program was started or shown (`wx.getLaunchOptionsSync`). `path` is empty when none was named."""

    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    scene: int = 1001
    referrer: str = ""  # the program it was opened from
    extra_data: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNotFound:
    """The options of `on_page_not_found`."""

    path: str
    query: dict[str, str]
    is_entry_page: bool


class Host(Protocol):
    """The side of the host. Pages do not call it; they call the methods of `Actions`."""

    @property
    def language(self) -> str: ...

    @property
    def open_id(self) -> str: ...

    @property
    def routes(self) -> tuple[str, ...]: ...

    def draw_key(self) -> str: ...

    def move(self, move: Move) -> None: ...

    def open_program(self, app_id: str, path: str, query: dict[str, str], extra_data: Json) -> None: ...

    def toast(self, text: str) -> None: ...

    def ask(self, asker: object, question: Question) -> None: ...

    def pay(self, asker: object, request: PaymentRequest, expires_after_s: int) -> None: ...

    def give_back(self, asker: object, request: RefundRequest) -> None: ...
    def pay_out(self, asker: object, offer: PayoutOffer) -> None: ...

    def withdraw(self, claim_id: str) -> None: ...

    async def claim(self, claim_id: str) -> Claim | None: ...

    async def payout_room(self, currency: str) -> Money: ...

    def charge(
        self, asker: object, request: PaymentRequest, slip: str, wallet: Wallet | None, expires_after_s: int
    ) -> None: ...

    @property
    def today(self) -> date: ...

    async def orders(self, day: date, limit: int) -> tuple[OrderRecord, ...]: ...

    async def order(self, order_key: str) -> OrderRecord | None: ...

    async def stand(self, asker: object, title: str, code_key: str, amount: Money | None) -> str: ...

    async def unstand(self, code_key: str) -> None: ...

    async def short_link(self, path: str, query: dict[str, str]) -> str: ...

    async def read(self, key: str) -> Json | None: ...

    async def write(self, key: str, value: Json) -> None: ...

    async def remove(self, key: str) -> None: ...

    async def clear(self) -> None: ...

    async def storage_info(self) -> StorageInfo: ...


class Actions:
    """WeChat's APIs in snake_case, on every page and on the app. Refusals raise `ApiError` in WeChat's words."""

    _host: Host | None = None

    @property
    def language(self) -> str:
        """The language tag of the person's client, such as `en` or `zh-hans`."""
        return self._at_host().language

    @property
    def open_id(self) -> str:
        """The person, as this program alone knows them; nobody can compute a chat account from it."""
        return self._at_host().open_id

    @property
    def current_pages(self) -> tuple[str, ...]:
        """The routes on the stack, home first (`getCurrentPages`)."""
        return self._at_host().routes

    def draw_key(self) -> str:
        """A key that nobody else gets, for `order_key`: sixteen characters.

        A turn that has to run again draws the same keys again, so an order is never placed twice.
        """
        return self._at_host().draw_key()

    def tr(self, english: str, chinese: str) -> str:
        """The text in the person's language."""
        return chinese if self.language.lower().startswith("zh") else english

    async def navigate_to(self, url: str, **query: QueryValue) -> None:
        """Open a page on top of this one; not a tab page, and not an eleventh."""
        await self._move(Api.NAVIGATE_TO, url, query)

    async def redirect_to(self, url: str, **query: QueryValue) -> None:
        """Open a page in place of this one; not a tab page."""
        await self._move(Api.REDIRECT_TO, url, query)

    async def re_launch(self, url: str, **query: QueryValue) -> None:
        """Close all pages and open this one."""
        await self._move(Api.RE_LAUNCH, url, query)

    async def switch_tab(self, url: str) -> None:
        """Show a page of the tab bar and close all that are none. WeChat gives it no query."""
        self._at_host().move(Move(api=Api.SWITCH_TAB, route=read_url(url)[0]))

    async def navigate_back(self, delta: int = 1) -> None:
        """Close `delta` pages; more than there are leads to the first."""
        self._at_host().move(Move(api=Api.NAVIGATE_BACK, delta=delta))

    async def navigate_to_mini_program(
        self, app_id: str, path: str = "", extra_data: Json = None, **query: QueryValue
    ) -> None:
        """Open another mini program, one that `navigateToMiniProgramAppIdList` names."""
        route, whole = read_url(path, query)
        self._at_host().open_program(app_id, route, whole, extra_data)

    async def short_link(self, path: str = "", **query: QueryValue) -> str:
        """A web address that opens this program at that page; it lives at least thirty days."""
        route, whole = read_url(path, query)
        return await self._at_host().short_link(route, whole)

    async def show_toast(self, title: str) -> None:
        """A few words that pass: a notice over the chat after a tap, a line under the page otherwise."""
        self._at_host().toast(title)

    async def show_modal(
        self,
        title: str,
        content: str = "",
        *,
        confirm: str = "",
        cancel: str | None = "",
        then: Answered | None = None,
    ) -> None:
        """Ask yes or no; `then` is called with `confirm=True` or `False`. `cancel=None` leaves one button."""
        no = () if cancel is None else ((cancel or self.tr("Cancel", "取消"), {"confirm": False}),)
        choices = (*no, (confirm or self.tr("OK", "确定"), {"confirm": True}))
        self._at_host().ask(self, Question(title=title, content=content, then=then, choices=choices))

    async def show_action_sheet(
        self, items: Sequence[str], *, then: Answered, title: str = "", cancel: str = ""
    ) -> None:
        """Offer up to six ways; `then` is called with `tap_index=`, which is None when the person leaves it."""
        if not 0 < len(items) <= SHEET_ITEMS_MAX:
            raise AuthorError(f"An action sheet has 1 to {SHEET_ITEMS_MAX} items, not {len(items)}.")
        choices: list[tuple[str, dict[str, Json]]] = [
            (item, {"tap_index": index}) for index, item in enumerate(items)
        ]
        choices.append((cancel or self.tr("Cancel", "取消"), {"tap_index": None}))
        self._at_host().ask(self, Question(title=title, content="", then=then, choices=tuple(choices)))

    async def scan_code(self, *, then: Answered, prompt: str = "", cancel: str = "") -> None:
        """Ask for a picture of a code; `then` is called with `result=`, which is None when the person leaves it."""
        text = prompt or self.tr("Send a picture of the code.", "请发送二维码图片。")
        no = cancel or self.tr("Cancel", "取消")
        self._at_host().ask(
            self,
            Question(title="", content=text, then=then, choices=((no, {"result": None}),), takes_photo=True),
        )

    async def request_payment(
        self,
        amount: Money,
        title: str,
        *,
        order_key: str,
        expires_after_s: int = 900,
        if_late: IfLate | None = None,
    ) -> None:
        """Ask to be paid; `on_payment` hears what became of it, also after a restart or hours later.

        `order_key` is yours and names the order for ever: the same key asks for the same order again, a new price
        needs a new key. `if_late` decides about money that arrives after the order has ended; without it, the host's
        setting does. The manifest asks for `scope.payment`.
        """
        request = PaymentRequest(amount=amount, title=title, order_key=order_key, if_late=if_late)
        self._at_host().pay(self, request, expires_after_s)

    async def request_refund(
        self, *, order_key: str, reason: str, refund_key: str, amount: Money | None = None
    ) -> None:
        """Give back part of what was paid for an order, or all that is left of it; `on_refund` hears what became of it.

        `order_key` names an order that this program placed for this person; any other undoes the turn. `refund_key`
        is yours and names the refund for ever: however often it is asked for, the money goes back once. The payer may
        see the reason. The manifest asks for `scope.refund`.
        """
        request = RefundRequest(order_key=order_key, amount=amount, reason=reason, refund_key=refund_key)
        self._at_host().give_back(self, request)

    async def take_payer_code(self, *, then: Answered, prompt: str = "", cancel: str = "") -> None:
        """Ask for the code that a customer's wallet shows: a photo of it, or its digits.

        `then` is called with `code=`, a `ShownCode`, or None when the person leaves it. What is no payer code is
        answered by the host, and asked for again. The manifest asks for `scope.collect`.
        """
        text = prompt or self.tr(
            "Photograph the customer's payment code, or type its digits.",
            "请拍摄顾客的付款码，或输入付款码数字。",
        )
        no: tuple[tuple[str, dict[str, Json]], ...] = ((cancel or self.tr("Cancel", "取消"), {"code": None}),)
        question = Question(title="", content=text, then=then, choices=no, takes_payer_code=True)
        self._at_host().ask(self, question)

    async def charge_payer_code(
        self,
        amount: Money,
        title: str,
        *,
        code: ShownCode | str,
        order_key: str,
        wallet: Wallet | None = None,
        expires_after_s: int = 300,
    ) -> None:
        """Take money from the customer whose code was shown; `on_payment` hears what became of it.

        `code` is what `take_payer_code` gave, or its slip. The customer may have to enter a password: the host waits,
        and reverses the charge when that takes too long. The order stays open for `expires_after_s` seconds: another
        code under the same `order_key` is another try, made when the one before it is certain to be closed.
        Raises `ApiError` when the slip is worn out, or when no account takes that wallet. Asks for `scope.collect`.
        """
        slip = code.slip if isinstance(code, ShownCode) else code
        request = PaymentRequest(amount=amount, title=title, order_key=order_key)
        self._at_host().charge(self, request, slip, wallet, expires_after_s)

    async def request_payout(
        self,
        order_id: str,
        amount: Money,
        title: str,
        *,
        payout_key: str,
        page: str = "",
        for_open_id: str = "",
        expires_after_s: int = PAYOUT_EXPIRES_DEFAULT_S,
    ) -> None:
        """Offer part or all of a paid order of this person to whoever claims it; `on_payout` hears what becomes of it.

        Nothing leaves before a claim. What nobody claims in time goes back to the payer by itself. The same
        `payout_key` asks for the same offer again. `page` is the one that hears, the asker when left out. `for_open_id` binds it to one person of this program. The manifest
        asks for `scope.payout`.
        """
        offer = PayoutOffer(
            order_id=order_id,
            amount=amount,
            title=title,
            payout_key=payout_key,
            page=page or str(getattr(self, "route", "")),
            for_open_id=for_open_id,
            expires_after_s=expires_after_s,
        )
        self._at_host().pay_out(self, offer)

    async def withdraw_payout(self, claim_id: str) -> None:
        """Take back what this person has offered, if nobody has claimed it yet; `on_payout` hears how it stands."""
        self._at_host().withdraw(claim_id)

    async def read_claim(self, claim_id: str) -> Claim | None:
        """How an offer of this program stands now, as this person may see it; None when there is none."""
        return await self._at_host().claim(claim_id)

    async def payout_room(self, currency: str) -> Money:
        """How much this person may still offer, at once and today; what is beyond it goes back to the payer."""
        return await self._at_host().payout_room(currency)

    async def collection_code(self, title: str, *, code_key: str, amount: Money | None = None) -> str:
        """A web address that any wallet can scan, for ever: print it, or show it as a `QrCode`.

        Every scan is a new order of this program for this person; `on_payment` of this page hears of it, and the chat
        shows it once it is paid. Without an amount, in yuan, the payer enters it. `code_key` is yours: the same key is the
        same code, and its title and amount never change. The manifest asks for `scope.collect`.
        """
        return await self._at_host().stand(self, title, code_key, amount)

    async def close_collection_code(self, code_key: str) -> None:
        """Order nothing more by it; `collection_code` opens it again."""
        await self._at_host().unstand(code_key)

    @property
    def today(self) -> date:
        """The day it is in Beijing, by the host's clock."""
        return self._at_host().today

    async def list_orders(self, day: date | None = None, *, limit: int = 100) -> tuple[OrderRecord, ...]:
        """What this program has asked this person for on that Beijing day, newest first; today when no day is named.

        Nobody else's orders, and at most 500 at a time.
        """
        return await self._at_host().orders(day or self.today, limit)

    async def find_order(self, order_key: str) -> OrderRecord | None:
        """The order that this program placed for this person under that key, as the book has it now."""
        return await self._at_host().order(order_key)

    async def set_storage(self, key: str, data: Json) -> None:
        """Keep a JSON value for this person: 1 MB a key, 10 MB in all. It outlives sessions and deploys."""
        encode(data)
        await self._at_host().write(key, data)

    async def get_storage(self, key: str, default: _Default = cast("Any", None)) -> _Default:  # noqa: B008  # a typed None
        """What `set_storage` kept, or the default."""
        found = await self._at_host().read(key)
        return default if found is None else cast("_Default", found)

    async def remove_storage(self, key: str) -> None:
        """Forget one key."""
        await self._at_host().remove(key)

    async def clear_storage(self) -> None:
        """Forget all that this program keeps of this person."""
        await self._at_host().clear()

    async def get_storage_info(self) -> StorageInfo:
        """The keys, and how much room they take."""
        return await self._at_host().storage_info()

    async def _move(self, api: Api, url: str, query: dict[str, QueryValue]) -> None:
        route, whole = read_url(url, query)
        self._at_host().move(Move(api=api, route=route, query=whole))

    def _at_host(self) -> Host:
        if self._host is None:
            raise AuthorError(
                f"{type(self).__name__} is not in a turn: its methods are called by the host, on its own instance."
            )
        return self._host
