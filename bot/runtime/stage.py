"""One mini program in one turn: its pages come to life here, and what they ask for is collected, not done."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import structlog

from bot.orders.order import Draft, PayoutDraft, RefundDraft, Withdrawal
from bot.runtime import stack
from bot.runtime.asking import check_offer, check_refund, check_request
from bot.runtime.carrying import carried_over
from bot.runtime.drawing import draw_overlay, draw_page
from bot.runtime.locker import Locker
from bot.runtime.own import OwnOrders
from bot.runtime.pocket import Charge
from bot.runtime.screen import Screen
from bot.runtime.session import Frame, Overlay, Press, Program
from bot.runtime.stack import Hook, Step
from miniprograms.sdk.actions import Options, PageNotFound, Question, StorageInfo
from miniprograms.sdk.app import App
from miniprograms.sdk.data import Json
from miniprograms.sdk.errors import ApiError, AuthorError, NavigationError, ScopeError
from miniprograms.sdk.limits import PAYMENTS_PER_TURN_MAX, REFUNDS_PER_TURN_MAX
from miniprograms.sdk.page import Page
from miniprograms.sdk.payment import PaymentRequest, PaymentResult, ShownCode
from miniprograms.sdk.payout import Claim, PayoutOffer, PayoutResult
from miniprograms.sdk.records import OrderRecord
from miniprograms.sdk.refund import RefundRequest, RefundResult
from miniprograms.sdk.route import Api, Move
from miniprograms.sdk.scenes import Scene
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet

if TYPE_CHECKING:
    from bot.runtime.turn import Turn

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Stage:
    """The `Host` of one program's pages and app. Its life ends with the turn."""

    turn: "Turn"
    app_id: str
    program: Program
    app: App = field(init=False)
    _pages: dict[int, Page] = field(default_factory=dict)
    _locker: Locker = field(init=False)

    def __post_init__(self) -> None:
        self.app = self.turn.programs[self.app_id].bound(self)
        seat = self.turn.origin.seat
        self._locker = Locker(self.turn.store, seat.user_id, self.app_id, self.turn.writes)

    # --- what the turn does with it

    async def run(self, step: Step) -> None:
        """One hook of one page. `on_load` makes the page."""
        page = self.page(step.frame)
        match step.hook:
            case Hook.LOAD:
                await page.on_load(dict(step.frame.query))
            case Hook.SHOW:
                await page.on_show()
            case Hook.READY:
                await page.on_ready()
            case Hook.HIDE:
                await page.on_hide()
            case Hook.UNLOAD:
                await page.on_unload()

    async def show_code(self, frame: Frame, method: str, code: ShownCode) -> None:
        """Answer the page that asked for a payer's code."""
        await self._call(frame, method, {"code": code})

    async def call(self, frame: Frame, method: str, args: Mapping[str, Json]) -> None:
        """A method of a page, by its name. Raises `AuthorError` when a deploy has taken the method away."""
        await self._call(frame, method, args)

    async def _call(self, frame: Frame, method: str, args: Mapping[str, object]) -> None:
        handler = getattr(self.page(frame), method, None)
        if handler is None or method.startswith("_"):
            raise AuthorError(f"{frame.route}: a button calls {method}, which {self.app_id} has no more.")
        answer = handler(**args)
        if not inspect.isawaitable(answer):
            raise AuthorError(f"{frame.route}: {method} must be an async def.")
        await answer

    def page(self, frame: Frame) -> Page:
        """The page of a frame; one object per turn, so that two hooks share its data."""
        page = self._pages.get(frame.id)
        if page is None:
            kind = self.app.pages[frame.route]
            page = kind(self, dict(frame.query), carried_over(kind, frame, self.app.manifest))
            self._pages[frame.id] = page
        return page

    def keep(self) -> None:
        """Write the pages' data into their frames."""
        for frame in (*self.program.frames, *self.program.tabs):
            page = self._pages.get(frame.id)
            if page is not None:
                frame.data = page.data.to_json()

    def draw(self) -> Screen:
        """The screen of the page in front, or of the question over it."""
        owner, epoch = self.turn.origin.seat.user_id, self.turn.session.epoch
        if self.program.overlay is not None:
            return draw_overlay(self.program.overlay, self.program, owner, epoch)
        page = self.page(self.program.frames[-1])
        return draw_page(page, self.app.manifest, self.program, owner, epoch)

    def lost_page(self) -> PageNotFound | None:
        """Drop the frames whose route a deploy has taken away; what was in front then, if it was one of them."""
        frames, alive = self.program.frames, self.app.pages
        top = frames[-1] if frames else None
        self.program.frames = [frame for frame in frames if frame.route in alive]
        self.program.tabs = [frame for frame in self.program.tabs if frame.route in alive]
        if top is None or top.route in alive:
            return None
        self.program.overlay = None
        return PageNotFound(path=top.route, query=top.query, is_entry_page=len(frames) == 1)

    def in_reach(self, press: Press) -> bool:
        """Its page is in front, or it answers the question that lies over the page."""
        return self.program.overlay is not None or (
            bool(self.program.frames) and self.program.frames[-1].id == press.frame
        )

    async def start(self, options: Options) -> None:
        """Queue the page named, or what `on_page_not_found` makes of a route that is not there."""
        route = options.path or self.app.manifest.home
        if route in self.app.pages:
            self.move(Move(api=Api.RE_LAUNCH, route=route, query=options.query))
            return
        await self.not_found(PageNotFound(path=route, query=options.query, is_entry_page=True))

    async def not_found(self, missing: PageNotFound) -> None:
        """`on_page_not_found`, once; when that finds no page either, home is not asked for a second opinion."""
        try:
            await self.app.on_page_not_found(missing)
        except NavigationError as error:
            log.warning("page_not_found_twice", app_id=self.app_id, route=missing.path, error=error.err_msg)
        if not self.program.frames:
            self.go_home()

    def go_home(self) -> None:
        """The first page, with nothing under it."""
        self.move(Move(api=Api.RE_LAUNCH, route=self.app.manifest.home))

    async def hear(self, route: str, result: PaymentResult | RefundResult | PayoutResult) -> None:
        """Tell the page that asked, the topmost when it is open twice; the app when it is closed."""
        frames = [*reversed(self.program.frames), *self.program.tabs]
        frame = next((frame for frame in frames if frame.route == route), None)
        listener = self.app if frame is None else self.page(frame)
        match result:
            case PaymentResult():
                await listener.on_payment(result)
            case RefundResult():
                await listener.on_refund(result)
            case PayoutResult():
                await listener.on_payout(result)

    # --- the Host of actions.py

    @property
    def language(self) -> str:
        return self.turn.origin.language

    @property
    def open_id(self) -> str:
        return self.turn.open_id(self.app_id)

    @property
    def routes(self) -> tuple[str, ...]:
        return tuple(frame.route for frame in self.program.frames)

    def draw_key(self) -> str:
        return self.turn.draw_key()

    def move(self, move: Move) -> None:
        self.turn.check_open()
        if self.turn.session.programs.get(self.app_id) is not self.program:
            raise NavigationError(
                f"{move.api}:fail the program is closed", "Keep it in storage until it opens."
            )
        steps = stack.take(self.program, self.app.manifest, move, self._new_frame)
        self.program.overlay = None
        for step in steps:
            self.turn.queue(lambda step=step: self.run(step))  # type: ignore[misc]  # mypy cannot infer the default

    def open_program(self, app_id: str, path: str, query: dict[str, str], extra_data: Json) -> None:
        self.turn.check_open()
        if app_id not in self.app.manifest.may_open or app_id not in self.turn.programs:
            raise ApiError(
                "navigateToMiniProgram:fail appId not in navigateToMiniProgramAppIdList",
                f"app.json names the programs that may be opened, and {app_id} must be installed.",
            )
        options = Options(
            path=path, query=query, scene=Scene.FROM_PROGRAM, referrer=self.app_id, extra_data=extra_data
        )
        self.turn.queue(lambda: self.turn.show_program(app_id, options))

    def toast(self, text: str) -> None:
        self.turn.check_open()
        self.turn.toast = text

    def ask(self, asker: object, question: Question) -> None:
        self.turn.check_open()
        if question.takes_payer_code:
            self._check_scope("takePayerCode", "scope.collect")
        frame = self._frame_of(asker)
        then = question.then
        if then is not None and getattr(then, "__self__", None) is not asker:
            raise AuthorError(
                f"{frame.route}: then= must be a method of the page that asks, such as self.answered."
            )
        self.program.overlay = Overlay(
            frame=frame.id,
            then=then.__name__ if then else "",
            title=question.title,
            content=question.content,
            choices=list(question.choices),
            takes_photo=question.takes_photo,
            takes_payer_code=question.takes_payer_code,
        )

    def pay(self, asker: object, request: PaymentRequest, expires_after_s: int) -> None:
        self.turn.check_open()
        self._check_scope("requestPayment", "scope.payment")
        self.turn.drafts.append(self._draft(asker, request, expires_after_s))

    def charge(
        self, asker: object, request: PaymentRequest, slip: str, wallet: Wallet | None, expires_after_s: int
    ) -> None:
        self.turn.check_open()
        self._check_scope("chargePayerCode", "scope.collect")
        draft = self._draft(asker, request, expires_after_s)
        code = self.turn.pocket.look(slip, self.app_id, self.turn.origin.seat.user_id)
        if code is None:
            raise ApiError(
                "chargePayerCode:fail code expired",
                "A code lives a minute and is used once: take a fresh one.",
            )
        candidates = code.candidates if wallet is None else (wallet,)
        chosen = self.turn.checkout.wallet_at_till(request.amount, candidates)
        if chosen is None:
            raise ApiError(
                "chargePayerCode:fail no account",
                "No configured account takes this wallet's code for this amount.",
            )
        self.turn.drafts.append(replace(draft, by_payer_code=True))
        self.turn.charges.append(Charge(request.order_key, self.app_id, slip, chosen))

    def give_back(self, asker: object, request: RefundRequest) -> None:
        self.turn.check_open()
        self._check_scope("requestRefund", "scope.refund")
        where = asker.route if isinstance(asker, Page) else ""
        check_refund(where or self.app_id, request)
        if len(self.turn.refunds) >= REFUNDS_PER_TURN_MAX:
            raise AuthorError(f"{where}: more than {REFUNDS_PER_TURN_MAX} refunds are asked for in one turn.")
        seat = self.turn.origin.seat
        self.turn.refunds.append(
            RefundDraft(
                app_id=self.app_id,
                page=where,
                chat_id=seat.chat_id,
                user_id=seat.user_id,
                event_key=self.turn.origin.key,
                request=request,
            )
        )

    def pay_out(self, asker: object, offer: PayoutOffer) -> None:
        self._check_payouts("requestPayout")
        where = asker.route if isinstance(asker, Page) else self.app_id
        check_offer(where, offer)
        if offer.page and offer.page not in self.app.pages:
            raise AuthorError(f"{where}: page={offer.page!r} is no page of this program.")
        user_id = self.turn.origin.seat.user_id
        self.turn.payouts.append(PayoutDraft(app_id=self.app_id, user_id=user_id, offer=offer))
        self._check_many(where)

    def withdraw(self, claim_id: str) -> None:
        self._check_payouts("withdrawPayout")
        user_id = self.turn.origin.seat.user_id
        self.turn.payouts.append(Withdrawal(app_id=self.app_id, user_id=user_id, claim_id=claim_id))
        self._check_many("")

    async def claim(self, claim_id: str) -> Claim | None:
        return await self.turn.claims.read(self.app_id, claim_id, self.turn.origin.seat.user_id, self.open_id)

    async def payout_room(self, currency: str) -> Money:
        return await self.turn.claims.checkout.payout_room(self.turn.origin.seat.user_id, currency)

    @property
    def today(self) -> date:
        return self._own.today()

    async def orders(self, day: date, limit: int) -> tuple[OrderRecord, ...]:
        return await self._own.on(day, limit)

    async def order(self, order_key: str) -> OrderRecord | None:
        return await self._own.one(order_key)

    async def stand(self, asker: object, title: str, code_key: str, amount: Money | None) -> str:
        self.turn.check_open()
        self._check_scope("collectionCode", "scope.collect")
        page = asker.route if isinstance(asker, Page) else ""
        return await self._own.stand(page, self.language, title, code_key, amount)

    async def unstand(self, code_key: str) -> None:
        self.turn.check_open()
        self._check_scope("collectionCode", "scope.collect")
        await self._own.unstand(code_key)

    @property
    def _own(self) -> OwnOrders:
        turn = self.turn
        return OwnOrders(turn.checkout, turn.clock, turn.standing_url, self.app_id, turn.origin.seat)

    async def short_link(self, path: str, query: dict[str, str]) -> str:
        return await self.turn.links.make(self.app_id, path, query)

    async def read(self, key: str) -> Json | None:
        return await self._locker.read(key)

    async def write(self, key: str, value: Json) -> None:
        self.turn.check_open()
        await self._locker.write(key, value)

    async def remove(self, key: str) -> None:
        self.turn.check_open()
        await self._locker.remove(key)

    async def clear(self) -> None:
        self.turn.check_open()
        await self._locker.clear()

    async def storage_info(self) -> StorageInfo:
        return await self._locker.info()

    def _draft(self, asker: object, request: PaymentRequest, expires_after_s: int) -> Draft:
        where = asker.route if isinstance(asker, Page) else ""
        check_request(where or self.app_id, request, expires_after_s)
        if len(self.turn.drafts) >= PAYMENTS_PER_TURN_MAX:
            raise AuthorError(
                f"{where}: more than {PAYMENTS_PER_TURN_MAX} payments are asked for in one turn."
            )
        seat = self.turn.origin.seat
        return Draft(
            app_id=self.app_id,
            page=where,
            chat_id=seat.chat_id,
            user_id=seat.user_id,
            language=self.language,
            request=request,
            expires_after_s=expires_after_s,
        )

    def _check_scope(self, api: str, scope: str) -> None:
        if scope not in self.app.manifest.permission:
            raise ScopeError(
                f"{api}:fail auth deny", f'Add "{scope}": {{"desc": "…"}} to $.permission of app.json.'
            )

    def _check_payouts(self, api: str) -> None:
        self.turn.check_open()
        self._check_scope(api, "scope.payout")

    def _check_many(self, where: str) -> None:
        if len(self.turn.payouts) > PAYMENTS_PER_TURN_MAX:
            raise AuthorError(
                f"{where or self.app_id}: more than {PAYMENTS_PER_TURN_MAX} payouts are asked for in one turn."
            )

    def _new_frame(self, route: str, query: dict[str, str]) -> Frame:
        return Frame(self.turn.session.number(), route, query, self.app.manifest.version.code)

    def _frame_of(self, asker: object) -> Frame:
        for number, page in self._pages.items():
            frame = self.program.frame(number)
            if page is asker and frame is not None:
                return frame
        raise AuthorError(f"{self.app_id}: only an open page can ask; call it from a method of a page.")
