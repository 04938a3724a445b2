"""What is found once, and kept for whoever asks again."""

from collections.abc import Callable


def once[K, V](known: dict[K, V], key: K, find: Callable[[], V]) -> V:
    """What is known by a key; what is not known yet is found now. Nothing that is found is None."""
    found = known.get(key)
    if found is None:
        found = known[key] = find()
    return found
