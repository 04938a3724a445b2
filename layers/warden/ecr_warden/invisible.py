"""Characters that nobody sees: a name that holds one looks like another name."""

# Letters and signs by their category, which no font draws; variation selectors only change the character before.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_SHOWN = 40


def invisible(text: str) -> str:
    """The first such character by its code point and name, and after what it stands; or nothing.

    Any space but the plain one counts: it looks like that and is another character. ASCII's own control characters do
    not, for every message shows them.
    """
    if text.isascii():
        return ""
    import unicodedata  # noqa: PLC0415 - for the few texts that are not plain

    for at, char in enumerate(text):
        if char.isascii() or not (_is_unseen(char) or unicodedata.category(char) == "Zs"):
            continue
        name = unicodedata.name(char, "")
        called = f"U+{ord(char):04X}" + (f" ({name})" if name else "")
        before = text[max(0, at - _SHOWN) : at]
        after = f'after "{before}"' if before and before.isprintable() else "at its beginning" if at == 0 else ""
        return f"{called} {after}".rstrip()
    return ""


def _is_unseen(char: str) -> bool:
    # Half of a character is no character: it stands for bytes that are no text, and messages show it.
    is_half = "\ud800" <= char <= "\udfff"
    return (not char.isprintable() and not is_half) or char in _BLANK or char in _SELECTORS
