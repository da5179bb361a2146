"""Sound values made unsound: every kind of damage that a producer, a network or an attacker does."""

from __future__ import annotations

from random import Random

__all__ = ["broken", "long_of"]

_NASTY_LONGS = (0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**62, 2**63 - 1, -(2**63))


def long_of(value: int) -> bytes:
    """A zig-zag varint. Source: Avro specification, "Binary Encoding"."""
    raw = (value << 1) ^ (value >> 63)
    raw &= 2**64 - 1
    out = bytearray()
    while raw > 0x7F:
        out.append(raw & 0x7F | 0x80)
        raw >>= 7
    out.append(raw)
    return bytes(out)


def broken(value: bytes, prefix: bytes, random: Random) -> bytes:
    """
    Damage a value.

    Args:
        value: framed.
        prefix: its framing.
        random: decides how.
    Returns: another value; now and then a sound one.
    """
    body = bytearray(value[len(prefix) :])
    at = random.randrange(len(body)) if body else 0
    match random.randrange(9):
        case 0:
            return random.randbytes(random.randrange(40))
        case 1:
            return value[: random.randrange(len(value) + 1)]
        case 2:
            return value + random.randbytes(1 + random.randrange(9))
        case 3:
            for _ in range(1 + random.randrange(4)):
                body[random.randrange(len(body))] = random.randrange(256)
        case 4:
            body[at:at] = long_of(random.choice(_NASTY_LONGS))
        case 5:
            body[at : at + random.randrange(5)] = long_of(random.choice(_NASTY_LONGS))
        case 6:
            del body[at : at + 1 + random.randrange(4)]
        case 7:
            body[at:at] = b"\xff" * (1 + random.randrange(12))
        case _:
            return prefix + random.randbytes(random.randrange(200))
    return prefix + bytes(body)
