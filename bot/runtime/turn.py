"""A turn: one event, the methods it calls, the hooks they cause, and the screen at the end.

A turn changes a session in memory and collects the rest (orders, storage, a toast, a screen). Nothing leaves it until
the host has saved it, so a turn that raises has never been.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from unicodedata import normalize

from bot.orders.order import Draft, Order, PayoutDraft, RefundDraft, Withdrawal
from bot.runtime.claims import Claims
from bot.runtime.drawing import Token
from bot.runtime.events import Origin, Settled
from bot.runtime.identity import Identity
from bot.runtime.links import Links
from bot.runtime.pocket import Charge, Pocket
from bot.runtime.ports import Counter
from bot.runtime.screen import Screen
from bot.runtime.session import Overlay, Program, Session
from bot.runtime.stack import Hook, Step
from bot.runtime.stage import Stage
from bot.runtime.store import SessionStore, Write
from bot.texts import translator
from miniprograms.sdk.actions import Options
from miniprograms.sdk.app import App
from miniprograms.sdk.errors import AuthorError
from miniprograms.sdk.limits import STEPS_MAX
from miniprograms.sdk.page import Page
from miniprograms.sdk.payment import ShownCode
from providers.sdk.clock import Clock
from providers.sdk.codes import CodeError, read_payer_code

Work = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Turn:
    """`stale`: what the event touched is no more, and it had no effect. `mute`: nothing is drawn, either.

    `shows` is an order of this person's whose own message is to come down to the end of the chat.
    """

    programs: Mapping[str, App]
    session: Session
    origin: Origin
    store: SessionStore
    links: Links
    identity: Identity
    checkout: Counter
    pocket: Pocket
    claims: Claims
    clock: Clock
    standing_url: Callable[[str], str]
    toast: str = ""
    stale: bool = False
    mute: bool = False
    screen: Screen | None = None
    shows: Order | None = None
    drafts: list[Draft] = field(default_factory=list)
    refunds: list[RefundDraft] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    payouts: list[PayoutDraft | Withdrawal] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    keys_drawn: int = 0
    active: str = ""  # the program whose code runs, for the log and for on_error
    _stages: dict[str, Stage] = field(default_factory=dict)
    _queue: deque[Work] = field(default_factory=deque)
    _closed: bool = False

    # --- events

    async def tap(self, token: Token) -> None:
        """Call what the button stands for; a button that stands for nothing any more only redraws."""
        stage = self._front()
        press = stage.program.press(token.key) if stage and token.epoch == self.session.epoch else None
        if stage is None or press is None or self.stale or not stage.in_reach(press):
            self.stale = True
            return
        if press.once:
            stage.program.drawn = ""  # so that the next render has new `once` tokens
            stage.program.renders[0].pop(token.key, None)
        if stage.program.overlay is not None:
            stage.program.overlay = None
        frame = stage.program.frame(press.frame)
        if frame is not None and press.method:
            await stage.call(frame, press.method, press.args)

    async def words(self, text: str) -> bool:
        """Give the line to the page that asked for one; False when none did."""
        stage = self._front()
        if stage is None or not stage.program.frames:
            return False
        if stage.program.overlay is not None and stage.program.overlay.takes_payer_code:
            await self._payer_code(stage, stage.program.overlay, text)
            return True
        if not stage.program.text_method:
            return False
        await stage.call(stage.program.frames[-1], stage.program.text_method, {"text": text})
        return True

    @property
    def waits_for_photo(self) -> bool:
        """The page in front has asked for a picture of a code."""
        program = self.session.programs.get(self.session.front)
        overlay = program.overlay if program else None
        return overlay is not None and (overlay.takes_photo or overlay.takes_payer_code)

    async def scanned(self, result: str) -> bool:
        """Give the text of a code to the page that asked for one; False when none did."""
        stage = self._front()
        overlay = stage.program.overlay if stage else None
        frame = stage.program.frame(overlay.frame) if stage and overlay else None
        if stage is None or overlay is None or frame is None:
            return False
        if overlay.takes_payer_code:
            await self._payer_code(stage, overlay, result)
            return True
        if not overlay.takes_photo:
            return False
        stage.program.overlay = None
        await stage.call(frame, overlay.then, {"result": result})
        return True

    async def _payer_code(self, stage: Stage, overlay: Overlay, text: str) -> None:
        """The page gets a slip for it, never the digits; what is no payer code is asked for again."""
        _ = translator(self.origin.language)
        frame = stage.program.frame(overlay.frame)
        try:
            code = read_payer_code(normalize("NFKC", text))
        except CodeError:
            self.toast = _("That is no payment code of a wallet we know. Ask the customer for a fresh one.")
            return
        if not code.candidates:
            self.toast = _("No account here takes codes of that wallet.")
            return
        stage.program.overlay = None
        shown = ShownCode(
            slip=self.pocket.put(code, stage.app_id, self.origin.seat.user_id),
            wallets=code.candidates,
            ambiguous=code.ambiguous,
        )
        if frame is not None:
            await stage.show_code(frame, overlay.then, shown)

    async def settled(self, event: Settled) -> None:
        """Tell the page, or the app when the page is closed. A program that is not in front stays where it is."""
        if event.app_id not in self.programs:
            return
        program = self.session.programs.get(event.app_id)
        closed = Program(code=self.programs[event.app_id].manifest.version.code)
        stage = self._stage(event.app_id, program or closed)
        if program is not None:
            self._reconcile(stage)
        await stage.hear(event.page, event.result)

    async def show_program(self, app_id: str, options: Options) -> None:
        """Bring a program in front: cold with `on_launch`, hot without; a path relaunches it there."""
        known = self.session.programs.get(app_id)
        same = self.session.front == app_id
        if not same:
            await self.leave()
        program = known or Program(code=self.programs[app_id].manifest.version.code)
        self.session.bring_in_front(app_id, program)
        stage = self._stage(app_id, program)
        if known is None:
            self.queue(lambda: stage.app.on_launch(options))
        if known is None or not same or options.path:
            self.queue(lambda: stage.app.on_show(options))
        if self._reconcile(stage) and not options.path:
            return
        if options.path or not program.frames:
            self.queue(lambda: stage.start(options))
        elif not same:
            top = program.frames[-1]
            self.queue(lambda: stage.run(Step(top, Hook.SHOW)))

    async def restart_program(self, app_id: str, options: Options) -> None:
        """Forget the program's pages and open it anew; its storage and orders stay."""
        self.session.programs.pop(app_id, None)
        self._stages.pop(app_id, None)
        self.session.front = ""
        await self.show_program(app_id, options)

    async def leave(self) -> None:
        """The program in front goes to the background: the page's `on_hide`, then the app's."""
        stage = self._front()
        if stage is None:
            return
        self.session.front = ""
        if stage.program.frames:
            top = stage.program.frames[-1]
            self.queue(lambda: stage.run(Step(top, Hook.HIDE)))
        self.queue(stage.app.on_hide)

    async def report(self, app_id: str, message: str) -> None:
        """`on_error`, in a turn of its own."""
        program = self.session.programs.get(app_id)
        closed = Program(code=self.programs[app_id].manifest.version.code)
        await self._stage(app_id, program or closed).app.on_error(message)

    async def finish(self, *, drawn: bool = True) -> None:
        """Run what is queued, render, run `on_ready` of a page that is rendered for the first time, render again.

        Not `drawn`: only run what is queued.
        """
        if not drawn:
            await self._drain()
            self._keep()
            return
        for _ in range(STEPS_MAX):
            await self._drain()
            stage = self._front()
            if stage is None:
                self._keep()
                return
            if not stage.program.frames:
                stage.go_home()
                continue
            if self._queue:
                continue
            self._keep()
            self.active = stage.app_id
            self.screen = stage.draw()
            if not self._first_render(stage):
                return
        raise AuthorError(
            f"{self.active}: pages send each other in circles; {STEPS_MAX} renders were not enough."
        )

    # --- what stages need

    def queue(self, work: Work) -> None:
        """Run it after what is already queued."""
        self._queue.append(work)

    def open_id(self, app_id: str) -> str:
        """The person as that program knows them."""
        return self.identity.open_id(app_id, self.origin.seat.user_id)

    def draw_key(self) -> str:
        """The next key of this turn: the same when this update has to be played again."""
        self.keys_drawn += 1
        return self.identity.key(self.origin, self.session.epoch, self.keys_drawn)

    def close(self) -> None:
        """Nothing counts any more: the deadline has passed, and the method may still be running."""
        self._closed = True

    def check_open(self) -> None:
        """Raises `AuthorError` after the deadline."""
        if self._closed:
            raise AuthorError("This turn is over: the method ran past its deadline.")

    async def _drain(self) -> None:
        for _ in range(STEPS_MAX):
            if not self._queue:
                return
            await self._queue.popleft()()
        raise AuthorError(
            f"{self.active}: more than {STEPS_MAX} hooks in one turn; do pages send each other in circles?"
        )

    def _keep(self) -> None:
        for stage in self._stages.values():
            stage.keep()

    def _first_render(self, stage: Stage) -> bool:
        """Whether `on_ready` is due now, and therefore another render."""
        frame = stage.program.frames[-1]
        if frame.ready:
            return False
        frame.ready = True
        if type(stage.page(frame)).on_ready is Page.on_ready:
            return False
        self.queue(lambda: stage.run(Step(frame, Hook.READY)))
        return True

    def _front(self) -> Stage | None:
        program = self.session.programs.get(self.session.front)
        if program is None or self.session.front not in self.programs:
            self.session.front = ""
            return None
        fresh = self.session.front not in self._stages
        stage = self._stage(self.session.front, program)
        if fresh and self._reconcile(stage):
            self.stale = True
        return stage

    def _stage(self, app_id: str, program: Program) -> Stage:
        self.active = app_id
        stage = self._stages.get(app_id)
        if stage is None or stage.program is not program:
            stage = self._stages[app_id] = Stage(self, app_id, program)
        return stage

    def _reconcile(self, stage: Stage) -> bool:
        """After a deploy: pages that are no more are closed, and the app is told where the person was."""
        stage.program.code = stage.app.manifest.version.code
        missing = stage.lost_page()
        if missing is None:
            return False
        self.queue(lambda: stage.not_found(missing))
        return True
