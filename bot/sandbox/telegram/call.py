"""One call of a method: its name, its arguments as text, its uploads. However they came, they are the same here.

Telegram takes arguments from the query, from a form, from JSON and from multipart, and treats them alike.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from aiohttp.multipart import MultipartResponseWrapper
from pydantic import JsonValue

from bot.sandbox.telegram.errors import ApiError, bad_request
from bot.sandbox.telegram.files import FILE_BYTES_MAX, Upload

_Parts = aiohttp.MultipartReader | MultipartResponseWrapper
_BODY_BYTES_MAX = 4 * 1024 * 1024  # of forms and JSON; files come as multipart
_UPLOADS_MAX = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A method call as it arrived."""

    method: str
    args: Mapping[str, str] = field(default_factory=dict)
    uploads: Mapping[str, Upload] = field(default_factory=dict, repr=False)


def read_json(text: str | bytes) -> JsonValue:
    """Decode JSON. Raises `ValueError` for what is none, and for lone surrogates, which no UTF-8 text can hold."""
    try:
        value: JsonValue = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("The JSON is nested too deep.") from error
    return value


async def read_call(request: web.Request) -> Call:
    """Read a request; the path names the method. Raises `ApiError` for a body that cannot be read."""
    args = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "multipart/form-data":
        try:
            await _read_parts(await request.multipart(), args, uploads)
        except ValueError as error:
            raise bad_request("can't parse the multipart body") from error
    elif request.can_read_body:
        args |= _arguments(request.content_type, await _read_limited(request.content))
    return Call(request.match_info["method"], args, uploads)


async def read_answer(reply: aiohttp.ClientResponse) -> Call | None:
    """The method call in a webhook's reply, if there is one. Methods that fetch something are not executed so."""
    args: dict[str, str] = {}
    uploads: dict[str, Upload] = {}
    try:
        if reply.content_type.startswith("multipart/"):
            await _read_parts(aiohttp.MultipartReader.from_response(reply), args, uploads)
        else:
            args |= _arguments(reply.content_type, await _read_limited(reply.content))
    except (ApiError, ValueError):  # what is no call is only an acknowledgement
        return None
    method = args.pop("method", "").lower()
    if not method or method.startswith("get") or method in {"setwebhook", "deletewebhook"}:
        return None
    return Call(method, args, uploads)


async def _read_limited(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_chunked(65536):
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            raise ApiError(413, "Request Entity Too Large")
    return bytes(body)


def _arguments(content_type: str, body: bytes) -> dict[str, str]:
    if content_type == "application/json":
        return _from_json(body)
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return {}


def _from_json(body: bytes) -> dict[str, str]:
    try:
        values = read_json(body) if body.strip() else {}
    except ValueError as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(values, dict):
        raise bad_request("can't parse JSON object")
    return {name: _as_text(value) for name, value in values.items() if value is not None}


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def _read_parts(reader: _Parts, args: dict[str, str], uploads: dict[str, Upload]) -> None:
    while (part := await reader.next()) is not None:
        if not isinstance(part, aiohttp.BodyPartReader) or not part.name:
            continue
        data = await _read_part(part)
        if part.filename is None:
            args[part.name] = data.decode("utf-8", "replace")
        elif len(uploads) < _UPLOADS_MAX:
            mime_type = part.headers.get("Content-Type", "application/octet-stream")
            uploads[part.name] = Upload(part.filename, mime_type, data)


async def _read_part(part: aiohttp.BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(65536):
        data += chunk
        if len(data) > FILE_BYTES_MAX:
            raise ApiError(413, "Request Entity Too Large")
    return bytes(data)
