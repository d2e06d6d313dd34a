"""A page: typed data, a pure `render`, methods that buttons call by name, and WeChat's lifecycle."""

from typing import Any, ClassVar

from miniprograms.sdk.actions import Actions, Host
from miniprograms.sdk.data import Json, PageData
from miniprograms.sdk.errors import DataError
from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from miniprograms.sdk.refund import RefundResult
from miniprograms.sdk.route import Query
from miniprograms.sdk.view import View


class Page(Actions):
    """Subclass it, name its route with `@app.page(...)`, and say in `Data` what it remembers.

    Instances live for one turn. Only `data` and storage outlive it; write `data: Data` below the class `Data` and the
    type checker knows your fields.

    Order of the hooks (WeChat, framework/app-service/route):

    | way | hooks |
    |---|---|
    | first page | on_load, on_show, on_ready |
    | navigate_to | A.on_hide, B.on_load, B.on_show, B.on_ready |
    | redirect_to | A.on_unload, B.on_load, B.on_show, B.on_ready |
    | navigate_back | B.on_unload, A.on_show |
    | re_launch | all on_unload, top first, then B.on_load, B.on_show, B.on_ready |
    | switch_tab | non-tab pages on_unload; the tab left, if shown: on_hide; new tab: on_load once; on_show |
    """

    Data: ClassVar[type[PageData]] = PageData
    route: ClassVar[str] = ""

    data: Any
    query: Query

    def __init__(self, host: Host, query: Query, data: PageData) -> None:
        self._host = host
        self.query = query
        self.data = data

    def render(self) -> View:
        """What the page shows now. Pure: no waiting, no changes; it may be called at any time and any number of times."""
        raise DataError(f"{type(self).__name__} has no render(): write one that returns a View.")

    async def set_data(self, **changes: Json) -> None:
        """Change fields of `data`; the page is drawn once, after the turn. At most 1024 kB at a time."""
        try:
            self.data = self.data.changed(changes)
        except DataError as error:
            raise DataError(f"{self.route}: {error}") from error

    async def on_load(self, query: Query) -> None:
        """Once, when the page is made. The query came over a link that anyone can write: check it."""

    async def on_show(self) -> None:
        """Whenever the page comes in front."""

    async def on_ready(self) -> None:
        """Once, after the first render."""

    async def on_hide(self) -> None:
        """Another page, or another program, comes in front."""

    async def on_unload(self) -> None:
        """The page is closed."""

    async def on_pull_down_refresh(self) -> None:
        """The refresh button, drawn when the manifest says `enablePullDownRefresh`."""

    async def on_payment(self, result: PaymentResult) -> None:
        """What became of a payment this page asked for. Called once per change; `pending` may be followed by `paid`."""

    async def on_refund(self, result: RefundResult) -> None:
        """What became of a refund this page asked for, or of one that others made of a payment it asked for."""

    async def on_payout(self, result: PayoutResult) -> None:
        """What became of an offer of this page. Called once per change; after a failed try it may be open again."""
