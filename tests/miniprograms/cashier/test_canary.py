"""A payer's code is money for a minute: it is kept, logged and shown nowhere."""

import pytest

AT_TILL = ("wechat", "alipay", "quickpass", "bank", "bestpay", "ecny", "cmpay")


async def everything_in(redis):
    """Every key and value of the session store, as text."""
    found = []
    for key in await redis.keys("*"):
        kind = (await redis.type(key)).decode()
        value = await (redis.hgetall(key) if kind == "hash" else redis.get(key))
        found.append(f"{key!r} {value!r}")
    return "\n".join(found)


@pytest.mark.fault("M7")
@pytest.mark.parametrize("kind", AT_TILL)
@pytest.mark.parametrize("typed", [True, False])
def test_the_code_is_in_no_table_session_log_screen_or_repr(charge, wallets, world, kind, typed):
    code = wallets[kind].show_code(password=True)
    charge.send(code) if typed else charge.send_code(code)
    seen = [world.act(everything_in(world._redis))]  # while a choice of wallets may wait for an answer
    if kind == "cmpay":
        charge.tap("China Mobile Hebao")
    wallets[kind].walk_away()

    seen += [
        world.act(everything_in(world._redis)),
        world.book._file.serialize().decode("latin-1"),
        repr(world.log),
        repr(world.surface.messages) + repr(world.surface.answers),
        repr(charge.orders) + repr(charge.results),
        repr(world.runtime._pocket),
    ]

    assert charge.orders
    assert [place for place, text in enumerate(seen) if code in text] == []
