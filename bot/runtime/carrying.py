"""A page's data from one version of its program to the next."""

from typing import Any

import structlog
from pydantic import ValidationError

from bot.runtime.session import Frame
from miniprograms.sdk.data import PageData
from miniprograms.sdk.manifest import Manifest
from miniprograms.sdk.page import Page

log = structlog.get_logger(__name__)


def carried_over(kind: type[Page], frame: Frame, manifest: Manifest) -> PageData:
    """The frame's data as this version of the program knows it; what cannot be carried over begins afresh."""
    code = manifest.version.code
    if frame.data is None:
        return kind.Data()
    old: dict[str, Any] = frame.data
    try:
        if frame.code != code:
            old = kind.Data.migrate(frame.code, old)
            frame.code = code
        return kind.Data.model_validate(old)
    except ValidationError as error:
        problems = error.error_count()
        log.warning("page_data_dropped", app_id=manifest.app_id, route=frame.route, problems=problems)
        return kind.Data()
