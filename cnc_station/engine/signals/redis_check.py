"""Whether a station could use the Redis of a fleet. One short-lived key is written there."""

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.peers.limits import LONGEST_SENTENCE, PROBE
from cnc_station.peers.probing import MALFORMED
from cnc_station.peers.values import text

OLDEST_SERVER = 5  # the first that can wait for the best of several sorted sets
_ADDRESS, _PASSWORD = "redis_url", "redis_password"
_NOT_REDIS = "what answers there is not a Redis server"


def check(url: str) -> str:
    """Return what the server is, as a sentence. Raises InvalidInput with the field that is wrong
    and why. Blocks."""
    patience = {
        "socket_timeout": PROBE.first_byte_s,
        "socket_connect_timeout": PROBE.first_byte_s,
    }
    try:
        with Redis.from_url(url, **patience) as client:
            client.set("cnc:probe", "", ex=1)
            return f"Redis {_version(client)} answers."
    except AuthenticationError as error:
        raise _wrong("the server refuses it, or asks for one", _PASSWORD) from error
    except ResponseError as error:
        raise _wrong(f"the server accepts no data: {_shown(error)}") from error
    except (RedisError, OSError) as error:
        raise _wrong(_of_the_way(error)) from error
    except MALFORMED as error:
        raise _wrong(_NOT_REDIS) from error


def _version(client: Redis) -> str:
    """A server that hides its version is taken as it is."""
    try:
        found = str(client.info("server").get("redis_version", ""))
    except ResponseError:
        return ""
    number = found.partition(".")[0]
    if number.isdecimal() and int(number) < OLDEST_SERVER:
        raise _wrong(f"the server is Redis {found}: CNC Station needs {OLDEST_SERVER} or newer")
    return text(found, 20)


def _of_the_way(error: Exception) -> str:
    said = str(error).lower()
    if "certificate" in said:
        if "expired" in said:
            return "the server's certificate has expired"
        if "mismatch" in said or "not valid for" in said:
            return "the server's certificate is for another name: write the name that is in it"
        return "the server's certificate is not of the authority in ssl_ca_certs"
    if "ssl" in said or "wrong_version" in said:
        return "the server has no encryption: switch tls on in its redis.conf, or write redis://"
    if "timeout" in said or "timed out" in said:
        return "the server does not answer"
    return _NOT_REDIS if "closed by server" in said else f"can't be reached: {_shown(error)}"


def _shown(error: Exception) -> str:
    return text(str(error), LONGEST_SENTENCE)


def _wrong(reason: str, field: str = _ADDRESS) -> InvalidInput:
    return InvalidInput(FieldError(field, reason))
