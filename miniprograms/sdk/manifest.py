"""`app.json`: WeChat's fields in WeChat's spelling, with W3C's `app_id` and `version`.

A field this house does not know is noted and ignored, so that a real `app.json` can be used as it is; a field it
knows must be right, and every mistake is named by its JSON path.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from miniprograms.sdk.errors import ManifestError
from miniprograms.sdk.limits import APP_ID_CHARS_MAX, TABS_MAX, TABS_MIN

# WeChat, reference/configuration/app: fields of a screen, a package manager or a device, which a chat has not.
_WITHOUT_EFFECT: Final = frozenset({
    "functionalPages", "workers", "requiredBackgroundModes", "requiredPrivateInfos", "plugins", "preloadRule", "resizable",
    "usingComponents", "networkTimeout", "style", "useExtendedLib", "entranceDeclare", "darkmode", "themeLocation",
    "lazyCodeLoading", "singlePage", "sitemapLocation", "supportedMaterials", "convertRpxToVw", "renderer", "halfPage",
    "rendererOptions", "componentFramework", "serviceProviderTicket", "embeddedAppIdList", "appBar", "static", "debug",
})  # fmt: skip
_ROUTE: Final = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"

Route = Annotated[str, Field(pattern=_ROUTE)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True, populate_by_name=False)


class Version(_Part):
    """W3C MiniApp Manifest, `version`: the name is for people, the code only grows."""

    name: str = Field(min_length=1, max_length=32)
    code: int = Field(ge=1)


class Tab(_Part):
    """One of `tabBar.list`."""

    page_path: Route = Field(alias="pagePath")
    text: str = Field(min_length=1, max_length=16)


class TabBar(_Part):
    """Pages that are one tap away from each other."""

    tabs: tuple[Tab, ...] = Field(alias="list", min_length=TABS_MIN, max_length=TABS_MAX, strict=False)


class Window(_Part):
    """Of WeChat's window settings, the two that a chat can show."""

    title: str = Field("", alias="navigationBarTitleText", max_length=64)
    refreshable: bool = Field(default=False, alias="enablePullDownRefresh")


class Subpackage(_Part):
    """Pages under a root of their own."""

    root: Route
    pages: tuple[Route, ...] = Field(min_length=1, strict=False)


class Permission(_Part):
    """Why the program wants it; shown to people."""

    desc: str = Field(min_length=1, max_length=120)


class Manifest(_Part):
    """A checked `app.json`. `notes` are the fields that have no effect here, by JSON path."""

    app_id: str = Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=APP_ID_CHARS_MAX)
    name: str = Field("", max_length=64)
    version: Version
    main_pages: tuple[Route, ...] = Field(alias="pages", min_length=1, strict=False)
    entry_page_path: Route | None = Field(None, alias="entryPagePath")
    window: Window = Window.model_validate({})
    tab_bar: TabBar | None = Field(None, alias="tabBar")
    subpackages: tuple[Subpackage, ...] = Field((), strict=False)
    permission: dict[str, Permission] = Field(default_factory=dict)
    may_open: tuple[str, ...] = Field((), alias="navigateToMiniProgramAppIdList", strict=False)
    notes: tuple[str, ...] = Field((), init=False, exclude=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises `ManifestError`, which names the file and the JSON path of every mistake."""
        try:
            return cls.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise ManifestError(str(path), (f"It cannot be read: {error.strerror}.",)) from error

    @classmethod
    def parse(cls, text: bytes | str, where: str = "app.json") -> Self:
        """Raises `ManifestError`."""
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ManifestError(
                where, (f"It is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.",)
            ) from error
        if not isinstance(document, dict):
            raise ManifestError(where, ("$: it must be an object.",))
        document.pop("notes", None)
        try:
            manifest = cls.model_validate(document)
        except ValidationError as error:
            raise ManifestError(where, tuple(map(_problem, error.errors(include_url=False)))) from error
        if problems := tuple(_contradictions(manifest)):
            raise ManifestError(where, problems)
        return manifest.model_copy(update={"notes": tuple(_notes(manifest, "$"))})

    @property
    def pages(self) -> tuple[str, ...]:
        """Every route, sub-packages included."""
        return self.main_pages + tuple(f"{sub.root}/{page}" for sub in self.subpackages for page in sub.pages)

    @property
    def home(self) -> str:
        """Where a start without a path leads: `entryPagePath`, else the first page."""
        return self.entry_page_path or self.main_pages[0]

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """The tab bar, empty when there is none."""
        return self.tab_bar.tabs if self.tab_bar else ()

    @property
    def title(self) -> str:
        """What people see in the list of programs."""
        return self.name or self.window.title or self.app_id

    def is_tab(self, route: str) -> bool:
        """A page of the tab bar: `switch_tab` alone leads there."""
        return any(tab.page_path == route for tab in self.tabs)


def _contradictions(manifest: Manifest) -> Iterator[str]:
    pages = manifest.pages
    for index, page in enumerate(manifest.main_pages):
        if page in manifest.main_pages[:index]:
            yield f"$.pages[{index}]: {page!r} stands twice."
    if manifest.home not in pages:
        yield f"$.entryPagePath: {manifest.home!r} is not in $.pages."
    for index, tab in enumerate(manifest.tabs):
        here = f"$.tabBar.list[{index}].pagePath"
        if tab.page_path not in manifest.main_pages:
            yield f"{here}: {tab.page_path!r} is not in $.pages."
        if any(tab.page_path == other.page_path for other in manifest.tabs[:index]):
            yield f"{here}: {tab.page_path!r} stands twice."
    for scope in manifest.permission:
        if not re.fullmatch(r"scope\.[A-Za-z.]+", scope):
            yield f'$.permission["{scope}"]: a permission is named scope.something.'


def _notes(part: BaseModel, path: str) -> Iterator[str]:
    for name in part.model_extra or {}:
        known = path == "$" and name in _WITHOUT_EFFECT
        yield f"{path}.{name}: " + ("it has no effect here." if known else "unknown field, ignored.")
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        here = f"{path}.{field.alias or name}"
        if isinstance(value, BaseModel):
            yield from _notes(value, here)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from _notes(item, f"{here}[{index}]")


def _problem(error: object) -> str:
    assert isinstance(error, dict)  # noqa: S101  # pydantic's ErrorDetails, which is a TypedDict
    path = "$" + "".join(map(_step, error["loc"]))
    said = "it is missing" if error["type"] == "missing" else str(error["msg"])
    return f"{path}: {said[0].lower()}{said[1:].rstrip('.')}."


def _step(part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"\w+", part) else f'["{part}"]'
