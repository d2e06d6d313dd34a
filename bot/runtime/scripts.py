"""The two Redis scripts of a tap, and how they are called. Both work on keys of one person, which share one slot.

Redis 6.2 and later; nothing here needs more than strings and hashes.
"""

from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Bytes = bytes | str | int


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua text, called by its digest; a server that has forgotten it gets the text once more."""

    text: str
    digest: str

    async def run(self, redis: "Redis", keys: list[str], args: list[Bytes]) -> Any:  # noqa: ANN401  # what Lua returns
        """One round trip."""
        try:
            return await redis.evalsha(self.digest, len(keys), *keys, *args)
        except NoScriptError:
            return await redis.eval(self.text, len(keys), *keys, *args)


def _script(text: str) -> Script:
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


# KEYS lock, session, mark. ARGV owner, lock life in ms.
# Held by another: {0}. Else {1, seq, body, live, last, marked, by, ms the session still lives}, and the seat is ours.
# The owner comparison makes a call that the client had to send twice find its own lock.
TAKE: Final = _script("""
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return {0}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local row = redis.call('HMGET', KEYS[2], 'seq', 'body', 'live', 'last', 'by')
local marked = redis.call('EXISTS', KEYS[3])
return {1, row[1], row[2], row[3], row[4], marked, row[5], redis.call('PTTL', KEYS[2])}
""")

# KEYS lock, session, then the keys of the writes. ARGV owner, seq found, body, session life in s, last message,
# process, then four for each write: verb, number of its key, field, value.
# 1 saved, 0 the seat is no longer ours, -1 the session is another than the one loaded. In all three it is given back.
SAVE: Final = _script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
local row = redis.call('HMGET', KEYS[2], 'seq', 'last')
local seq = tonumber(row[1] or '0')
if seq ~= tonumber(ARGV[2]) then
  return -1
end
local last = math.max(tonumber(row[2] or '0'), tonumber(ARGV[5]))
redis.call('HSET', KEYS[2], 'seq', seq + 1, 'body', ARGV[3], 'last', last, 'by', ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[4])
for i = 7, #ARGV, 4 do
  local verb, key, field, value = ARGV[i], KEYS[tonumber(ARGV[i + 1])], ARGV[i + 2], ARGV[i + 3]
  if verb == 'mark' then
    redis.call('SET', key, '1', 'EX', value)
  elseif verb == 'clear' then
    redis.call('DEL', key)
  else
    local entry = 'k' .. field
    local old = redis.call('HSTRLEN', key, entry)
    local size = 0
    if old > 0 then
      size = -old - #field
    end
    if verb == 'put' then
      redis.call('HSET', key, entry, value)
      size = size + #field + #value
    else
      redis.call('HDEL', key, entry)
    end
    redis.call('HINCRBY', key, 'size', size)
  end
end
return 1
""")

# KEYS lock. ARGV owner.
RELEASE: Final = _script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
""")

# KEYS session. ARGV live message, last message. Outside the session's own order: the newest message wins.
NOTE: Final = _script("""
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local row = redis.call('HMGET', KEYS[1], 'live', 'last')
local live = math.max(tonumber(row[1] or '0'), tonumber(ARGV[1]))
local last = math.max(tonumber(row[2] or '0'), tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'live', live, 'last', last)
return 1
""")
