"""A page's data: typed, checked on every change, carried over when the program changes."""

from typing import Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from miniprograms.sdk.errors import DataError
from miniprograms.sdk.limits import SET_DATA_BYTES_MAX

__all__ = ["Field", "Json", "PageData", "encode"]

Json = Any  # what JSON can hold; the checker has no shorter word for it


class PageData(BaseModel):
    """Fields with defaults. They change through `set_data` alone, so that a rolled-back turn leaves no trace."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_default=False)

    @classmethod
    def migrate(cls, code: int, old: dict[str, Json]) -> dict[str, Json]:
        """Turn data that version `code` of the program wrote into this version's. Called once, after a deploy."""
        del code
        return old

    def changed(self, changes: dict[str, Json]) -> Self:
        """A copy with the changes in it. Raises `DataError`."""
        fields = type(self).model_fields
        for name in changes:
            if name not in fields:
                raise DataError(f"Data has no field {name!r}; it has: {', '.join(fields) or 'none'}.")
        try:
            changed = type(self).model_validate({**self.__dict__, **changes})
        except ValidationError as error:
            raise DataError(_first_problem(error)) from error
        _check_size(changed, set(changes))
        return changed

    def to_json(self) -> dict[str, Json]:
        """What is kept between two turns. Raises `DataError` for a value that JSON cannot hold."""
        try:
            return self.model_dump(mode="json")
        except ValueError as error:
            raise DataError(f"Data holds what JSON cannot: {error}") from error


def encode(value: Json) -> bytes:
    """JSON bytes. Raises `DataError` for a value that JSON cannot hold."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise DataError(f"Not a JSON value: {error}.") from error


def _check_size(data: BaseModel, names: set[str]) -> None:
    try:
        size = len(data.model_dump_json(include=names))
    except ValueError as error:
        raise DataError(f"Data holds what JSON cannot: {error}") from error
    if size > SET_DATA_BYTES_MAX:
        raise DataError(f"set_data with {size} bytes; {SET_DATA_BYTES_MAX} can be set at a time.")


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"Data.{where}: {first['msg']}." if where else f"Data: {first['msg']}."
