"""Documents made to be hard, at the size that AWS takes."""

from typing import Any

_KEYS = [f"aws:RequestTag/k{index}" for index in range(30)]


def _starred(seed: int, count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [f"ecr:*{letters[(index * seed) % 26]}*{letters[(index * 7 + seed) % 26]}*" for index in range(count)]


def _allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "ecr:*", "Principal": "*"} | elements


def _corner(bits: int) -> dict[str, Any]:
    return {
        "StringEquals": {_KEYS[at]: "x" for at in range(6) if bits >> at & 1},
        "StringNotEquals": {_KEYS[at]: "x" for at in range(6) if not bits >> at & 1},
    }


NASTY: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "overlapping wildcards": (
        [_allow(Action=_starred(3, 250))],
        [_allow(Action=_starred(5, 250))],
    ),
    "overlapping question marks": (
        [_allow(Action=[f"ecr:*a{'?' * index}b*" for index in range(60)])],
        [_allow(Action=[f"ecr:*a{'?' * index}c*" for index in range(60)])],
    ),
    "many Not-elements": (
        [
            {"Effect": effect, "NotAction": _starred(seed, 12), "NotPrincipal": {"AWS": f"{seed:012}"}}
            for seed in range(1, 20)
            for effect in ("Allow", "Deny")
        ],
        [
            {"Effect": effect, "NotAction": _starred(seed + 1, 12), "NotPrincipal": {"AWS": f"{seed:012}"}}
            for seed in range(1, 20)
            for effect in ("Allow", "Deny")
        ],
    ),
    "thirty conditions in every statement": (
        [
            _allow(Condition={"StringLike": {key: f"*{index}*{seed}*" for index, key in enumerate(_KEYS)}})
            for seed in range(10)
        ],
        [
            _allow(Condition={"StringLike": {key: f"*{index}*{seed}*" for index, key in enumerate(_KEYS)}})
            for seed in range(1, 11)
        ],
    ),
    "every half of thirty conditions": (
        [_allow()],
        [_allow(Condition={operator: {key: "x"}}) for key in _KEYS for operator in ("StringEquals", "StringNotEquals")][
            1:-1
        ],
    ),
    "all but one of the corners of a cube": (
        [_allow()],
        [_allow(Condition=_corner(bits)) for bits in range(63)],
    ),
    "a thousand statements": (
        [_allow(Action=f"ecr:Do{index}*", Principal={"AWS": f"{index:012}"}) for index in range(1000)],
        [_allow(Action=f"ecr:Do{index}*", Principal={"AWS": f"{index:012}"}) for index in range(1, 1000)],
    ),
    "a Deny for each of a hundred wildcards": (
        [_allow(), *({"Effect": "Deny", "Principal": "*", "Action": action} for action in _starred(3, 100))],
        [_allow(), *({"Effect": "Deny", "Principal": "*", "Action": action} for action in _starred(5, 100))],
    ),
}
