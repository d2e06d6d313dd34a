import pytest

from providers.sdk.contract import settled
from providers.sdk.errors import ConfigurationError, NoReplyError, NotSentError, ReplyError, SignatureError
from providers.sdk.results import Closed, NotSent, Unknown
from providers.sdk.transport import Headers


async def _outcome_of(error: Exception | None) -> object:
    @settled
    async def verb() -> Closed:
        if error is not None:
            raise error
        return Closed()

    return await verb()


async def test_an_answer_passes_through() -> None:
    assert await _outcome_of(None) == Closed()


async def test_a_connection_that_never_opened_is_not_sent() -> None:
    assert isinstance(await _outcome_of(NotSentError("no route")), NotSent)


@pytest.mark.parametrize(
    "error",
    [NoReplyError(""), ReplyError(""), SignatureError(""), ConfigurationError(""), KeyError("secret"), ValueError("x"),
     TypeError(), ZeroDivisionError(), AttributeError(), UnicodeDecodeError("utf-8", b"", 0, 1, "")],
)  # fmt: skip
async def test_every_other_mishap_is_unknown_and_tells_no_content(error: Exception) -> None:
    result = await _outcome_of(error)

    assert isinstance(result, Unknown)
    assert "secret" not in result.reason


def test_a_header_that_stands_twice_is_refused() -> None:
    headers = Headers.of([("X-A", "1"), ("x-a", "2"), ("X-B", "3")])

    assert headers.get("x-b") == "3"
    assert headers.get("x-c") is None
    with pytest.raises(ReplyError, match="2 times"):
        headers.get("X-A")
