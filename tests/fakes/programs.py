"""Mini programs made in a test: a manifest from a few words, and pages that write down what happens to them."""

import json
from pathlib import Path
from typing import Any

from miniprograms.sdk import App, Button, Options, Page, PageData, PageNotFound, PaymentResult, View

JOURNAL: list[str] = []


class LoggingApp(App):
    async def on_launch(self, options: Options) -> None:
        JOURNAL.append("app.on_launch")

    async def on_show(self, options: Options) -> None:
        JOURNAL.append("app.on_show")

    async def on_hide(self) -> None:
        JOURNAL.append("app.on_hide")

    async def on_error(self, message: str) -> None:
        JOURNAL.append("app.on_error")

    async def on_page_not_found(self, missing: PageNotFound) -> None:
        JOURNAL.append(f"app.on_page_not_found {missing.path}")
        await super().on_page_not_found(missing)

    async def on_payment(self, result: PaymentResult) -> None:
        JOURNAL.append(f"app.on_payment {result.status}")


class LoggingPage(Page):
    """Has a button for each way on; subclasses are made by `program`."""

    def _note(self, what: str) -> None:
        JOURNAL.append(f"{self.route}.{what}")

    def render(self) -> View:
        ways = ("navigate_to", "redirect_to", "re_launch", "switch_tab")
        rows = [
            Button(f"{way} {route}", self.go, way=way, route=route)
            for route in ("a", "b", "c", "tab1", "tab2")
            for way in ways
        ]
        return View(
            f"page {self.route}", [*rows, Button("back", self.navigate_back), Button("far back", self.far)]
        )

    async def go(self, way: str, route: str) -> None:
        await getattr(self, way)(route)

    async def far(self) -> None:
        await self.navigate_back(99)

    async def on_load(self, query: dict[str, str]) -> None:
        self._note("on_load")

    async def on_show(self) -> None:
        self._note("on_show")

    async def on_ready(self) -> None:
        self._note("on_ready")

    async def on_hide(self) -> None:
        self._note("on_hide")

    async def on_unload(self) -> None:
        self._note("on_unload")

    async def on_payment(self, result: PaymentResult) -> None:
        self._note(f"on_payment {result.status}")


def app_of(folder: Path, *, kind: type[App] = App, **fields: Any) -> App:
    """An app whose manifest is written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "app_id": "com.example.shop",
        "version": {"name": "1.0.0", "code": 1},
        "pages": ["home"],
        "permission": {"scope.payment": {"desc": "to pay"}},
        **fields,
    }
    (folder / "app.json").write_text(json.dumps(manifest))
    return kind(folder / "program.py")


def logging_app(folder: Path, **fields: Any) -> App:
    """Pages a (home), b, c, and the tabs tab1 and tab2, all of which keep the journal."""
    JOURNAL.clear()
    tabs = [{"pagePath": route, "text": route} for route in ("tab1", "tab2")]
    pages = fields.pop("pages", ["a", "b", "c", "tab1", "tab2"])
    app = app_of(folder, kind=LoggingApp, pages=pages, tabBar={"list": tabs}, **fields)
    for route in pages:
        app.page(route)(type(route.title(), (LoggingPage,), {}))
    return app


class Counting(Page):
    """A number, and a button that adds one."""

    class Data(PageData):
        count: int = 0

    def render(self) -> View:
        return View(f"count {self.data.count}", [Button("more", self.more)])

    async def more(self) -> None:
        await self.set_data(count=self.data.count + 1)
