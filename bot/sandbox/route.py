"""One call of the person's side: how it is asked, answered, refused and described."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from bot.sandbox.chat_view import NoSuchPlace
from bot.sandbox.shapes import Asked, Refusal, Told
from bot.sandbox.telegram.errors import ApiError
from bot.sandbox.telegram.payer import PaymentRefused
from bot.sandbox.wallet_app import WalletRefused

_NUMBER_CHARS_MAX: Final = 20
T = TypeVar("T", bound=Asked)


class ShopRefused(Exception):  # noqa: N818  # an answer, not a failure
    """The shop will not give that back; the text says why."""


class NotThere(LookupError):  # noqa: N818  # an answer, not a failure
    """What the path names is not there; the text says what is."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, read and checked."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Asked | None
    language: str

    def body_as(self, shape: type[T]) -> T:
        """The body, which the route has already read as that shape."""
        if not isinstance(self.body, shape):
            raise TypeError(f"The route does not ask for {shape.__name__}.")
        return self.body

    def number(self, name: str, default: int) -> int:
        """A whole number of the query. Raises `ValueError`."""
        text = self.query.get(name)
        if text is None:
            return default
        if len(text) > _NUMBER_CHARS_MAX or not (text.isascii() and text.removeprefix("-").isdigit()):
            raise ValueError(f"{name} is a whole number.")
        return int(text)


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the interface."""

    method: str
    path: str
    summary: str
    work: Callable[[Ask], Awaitable[Told]]
    asks: type[Asked] | None
    tells: type[Told]
    query: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The handler's own name; `operationId` in the description."""
        return getattr(self.work, "__name__", self.path)

    async def serve(self, request: web.Request) -> web.Response:
        """Answer over HTTP: the work's answer, or a refusal with 400, 404 or 422."""
        try:
            told = await self.work(await self._read(request))
        except (NotThere, NoSuchPlace) as missing:
            return refuse(404, str(missing))
        except (WalletRefused, PaymentRefused, ShopRefused) as refusal:
            return refuse(422, str(refusal))
        except ValidationError as error:
            return refuse(400, _complaint(error))
        except ApiError as error:
            return refuse(400, f"{error.description.removeprefix('Bad Request: ')}.")
        except ValueError as error:
            return refuse(400, str(error))
        return _json(told)

    async def _read(self, request: web.Request) -> Ask:
        body = None
        if self.asks is not None:
            body = self.asks.model_validate_json(await request.read() or b"{}")
        language = request.headers.get("Accept-Language", "en")
        return Ask(request.match_info, request.query, body, language)


def refuse(status: int, error: str) -> web.Response:
    """`{"error": "…"}`."""
    return _json(Refusal(error=error), status)


def describe(routes: tuple[Route, ...]) -> dict[str, object]:
    """The interface as OpenAPI 3.1."""
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    info = {
        "title": "The person's side of the Moongate sandbox",
        "version": "1",
        "description": "Write, tap, read, scan and pay as a person in front of the sandbox would. Play money only.",
    }
    return {"openapi": "3.1.0", "info": info, "paths": paths}


def _operation(route: Route) -> dict[str, object]:
    said = {
        "200": {"description": route.tells.__doc__ or "", **_content(route.tells)},
        **{code: {"description": text, **_content(Refusal)} for code, text in _REFUSALS.items()},
    }
    operation: dict[str, object] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": said,
    }
    if route.asks is not None:
        operation["requestBody"] = {"required": True, **_content(route.asks)}
    return operation


_REFUSALS: Final = {
    "400": "The request is not of this form.",
    "404": "What the path or the body names is not there.",
    "422": "The wallet or the bot says no; the text says why.",
}


def _parameters(route: Route) -> list[dict[str, object]]:
    named = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    inside: list[dict[str, object]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if name == "user_id" else "string"},
        }
        for name in named
    ]
    asked: list[dict[str, object]] = [
        {"name": name, "in": "query", "schema": {"type": "integer"}} for name in route.query
    ]
    return [*inside, *asked]


def _content(shape: type[BaseModel]) -> dict[str, object]:
    mode = "validation" if issubclass(shape, Asked) else "serialization"
    schema = shape.model_json_schema(mode=mode)  # type: ignore[arg-type]  # one of the two literals
    return {"content": {"application/json": {"schema": schema}}}


def _json(told: Told, status: int = 200) -> web.Response:
    body = told.model_dump_json().encode()
    return web.Response(
        body=body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _complaint(error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        field = ".".join(str(part) for part in problem["loc"])
        said = problem["msg"].removeprefix("Value error, ")
        problems.append(f"{field}: {said}" if field else said)
    return "; ".join(problems) + "."
