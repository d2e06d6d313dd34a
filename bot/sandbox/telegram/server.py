"""The bot's side over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import hmac

from aiohttp import web
from pydantic import JsonValue

from bot.sandbox.telegram.call import Call, read_call
from bot.sandbox.telegram.errors import ApiError, unauthorized
from bot.sandbox.telegram.faults import Faults, NoAnswer
from bot.sandbox.telegram.methods import execute
from bot.sandbox.telegram.world import World


class Server:
    """Answers calls of the one bot that it knows the token of."""

    def __init__(self, world: World, token: str, faults: Faults) -> None:
        self._world = world
        self._token = token
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """GET and POST are the same to Telegram."""
        return [
            web.route("*", "/bot{token:[^/]+}/{method:[^/]*}", self._call),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self._download),
        ]

    async def run(self, call: Call) -> JsonValue:
        """Execute one call with the armed faults around it; its effects are durable when this returns."""
        self._faults.strike(call.method, after=False)
        try:
            result = await execute(self._world, call)
        finally:
            self._world.journal.commit()
        self._faults.strike(call.method, after=True)
        return result

    async def run_unheard(self, call: Call) -> None:
        """Execute a call that came in a webhook's reply; nobody hears of its failure."""
        try:
            await self.run(call)
        except (ApiError, NoAnswer):
            return

    async def _call(self, request: web.Request) -> web.Response:
        try:
            self._check(request)
            return web.json_response({"ok": True, "result": await self.run(await read_call(request))})
        except ApiError as refusal:
            return _refusal(refusal)
        except NoAnswer:
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=500)  # never arrives: the connection is closed

    async def _download(self, request: web.Request) -> web.Response:
        try:
            self._check(request)
        except ApiError as refusal:
            return _refusal(refusal)
        file = self._world.files.at_path(request.match_info["path"])
        if file is None:
            return _refusal(ApiError(404, "Not Found"))
        return web.Response(body=self._world.files.data(file), content_type=file.mime_type)

    def _check(self, request: web.Request) -> None:
        if not hmac.compare_digest(request.match_info["token"].encode(), self._token.encode()):
            raise unauthorized()


def _refusal(refusal: ApiError) -> web.Response:
    answer: dict[str, JsonValue] = {
        "ok": False,
        "error_code": refusal.code,
        "description": refusal.description,
    }
    headers = {}
    if refusal.retry_after is not None:
        answer["parameters"] = {"retry_after": refusal.retry_after}
        headers["Retry-After"] = str(refusal.retry_after)
    return web.json_response(answer, status=refusal.code, headers=headers)
