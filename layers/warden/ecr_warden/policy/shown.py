"""Text from outside, made harmless for messages."""

_LIMIT = 80


def shown(text: str, limit: int = _LIMIT) -> str:
    """Text in printable ASCII, escaped, at most `limit` characters: what a policy says must not write on a terminal."""
    head = text[:limit]
    if not (head.isascii() and head.isprintable()):
        head = head.encode("unicode_escape").decode("ascii")
    return head if len(head) <= limit and len(text) <= limit else head[: limit - 3] + "..."
