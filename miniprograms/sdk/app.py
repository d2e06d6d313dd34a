"""The app of a mini program: its manifest, its pages, and the hooks that belong to no page."""

import copy
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from pydantic import ValidationError

from miniprograms.sdk.actions import Actions, Host, Options, PageNotFound
from miniprograms.sdk.errors import AuthorError
from miniprograms.sdk.manifest import Manifest
from miniprograms.sdk.page import Page
from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from miniprograms.sdk.refund import RefundResult

P = TypeVar("P", bound=type[Page])


class App(Actions):
    """`app = App(__file__)` reads the `app.json` beside that file. Subclass it for hooks.

    One object serves everybody; in a hook, `self` is a copy bound to the person of that turn, so an attribute you set
    is gone after it: keep things in storage.
    """

    def __init__(self, file: str | Path) -> None:
        """Raises `ManifestError`."""
        self.manifest = Manifest.read(Path(file).parent / "app.json")
        self.pages: dict[str, type[Page]] = {}

    def page(self, route: str) -> Callable[[P], P]:
        """Register a page class under a route of the manifest. Raises `AuthorError` when the two do not agree."""

        def register(page: P) -> P:
            self._check(route, page)
            page.route = route
            self.pages[route] = page
            return page

        return register

    def check_complete(self) -> None:
        """Every route of the manifest has its page. The host calls it when the program is loaded."""
        missing = [route for route in self.manifest.pages if route not in self.pages]
        if missing:
            raise AuthorError(
                f"{self.manifest.app_id}: app.json names {', '.join(missing)}; register a class with @app.page(...)."
            )

    def bound(self, host: Host) -> Self:
        """This app in one person's turn."""
        twin = copy.copy(self)
        vars(twin)["_host"] = host
        return twin

    async def on_launch(self, options: Options) -> None:
        """Once per cold start, before any page exists."""

    async def on_show(self, options: Options) -> None:
        """At the start, and each time the program comes back in front."""

    async def on_hide(self) -> None:
        """Another program comes in front."""

    async def on_error(self, message: str) -> None:
        """A hook or a method raised. The turn is already undone; what is done here is kept."""

    async def on_page_not_found(self, missing: PageNotFound) -> None:
        """A link, or a session from before a deploy, leads to a page that is no more. Home, unless you know better."""
        del missing
        home = self.manifest.home
        await (self.switch_tab(home) if self.manifest.is_tab(home) else self.re_launch(home))

    async def on_payment(self, result: PaymentResult) -> None:
        """What became of a payment whose page is closed."""

    async def on_refund(self, result: RefundResult) -> None:
        """What became of a refund whose page is closed, or that the app asked for."""

    async def on_payout(self, result: PayoutResult) -> None:
        """What became of an offer whose page is closed."""

    def _check(self, route: str, page: type[Page]) -> None:
        where = f"{self.manifest.app_id}, @app.page({route!r})"
        if route not in self.manifest.pages:
            raise AuthorError(f"{where}: app.json does not name this route; add it to $.pages.")
        if route in self.pages:
            raise AuthorError(f"{where}: {self.pages[route].__name__} already has this route.")
        if inspect.iscoroutinefunction(page.render):
            raise AuthorError(f"{where}: render() is pure; make it a plain def and load data in on_load.")
        try:
            page.Data()
        except ValidationError as error:
            raise AuthorError(
                f"{where}: every field of Data needs a default, so that the page can open: {error}"
            ) from error
