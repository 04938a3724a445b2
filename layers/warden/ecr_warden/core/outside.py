"""The only entry for text that people or the platform configure: parameters, secrets, the function's environment.

Editors, shells and `file://` add newlines and byte order marks to such text. The text never appears in an error, a log
or a message: it may be a secret.
"""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from iam_access.errors import NamedError

# A standard SSM parameter holds 4,096 characters; nothing read here needs more.
MAX_CHARACTERS = 4096
_MAX_SECONDS = 86_400
_MARK = "\ufeff"
# The byte order marks of UTF-16, which Windows shells write: https://www.unicode.org/faq/utf_bom.html
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class OutsideError(NamedError):
    """Text from outside is missing or unusable; the error names its place, never its content."""

    code = "outside"


def outside_text(value: object, place: str, *, remedy: str = "") -> str:
    """The text found at `place`, without byte order mark and surrounding white space.

    `value`: as received, text or UTF-8 or UTF-16 bytes. Raises OutsideError for anything else, for text that is empty
    or longer than MAX_CHARACTERS, and for text with a control, invisible or undecodable character.
    """
    text = _decoded(value)
    if text is None:
        raise OutsideError(f"{place} is not text", remedy=remedy)
    if len(text) > MAX_CHARACTERS:
        raise OutsideError(f"{place} is longer than {MAX_CHARACTERS:,} characters", remedy=remedy)
    text = _bare(text)
    if not text:
        raise OutsideError(f"{place} is empty", remedy=remedy)
    if not text.isprintable():
        raise OutsideError(f"{place} contains a control or invisible character", remedy=remedy)
    return text


def _decoded(value: object) -> str | None:
    match value:
        case str():
            return value
        case bytes():
            # A character has at most four bytes, so longer data need not be decoded to be too long.
            start = value[: 4 * MAX_CHARACTERS + 4]
            whole = len(start) == len(value)
            coding = "utf-16" if value.startswith(_UTF_16) else "utf-8"
            try:
                return start.decode(coding, "strict" if whole else "replace")
            except UnicodeDecodeError:
                return None
        case _:
            return None


def _bare(text: str) -> str:
    """The text without leading and trailing white space and byte order marks."""
    while (shorter := text.strip().strip(_MARK)) != text:
        text = shorter
    return text


class Environment(Struct, frozen=True):
    """The environment variables that template.yaml sets."""

    variables: Mapping[str, str]

    def required(self, name: str) -> str:
        """The value of a variable; raises OutsideError if it is missing or unusable."""
        return outside_text(
            self.variables.get(name, ""),
            f"the function's variable {name}",
            remedy="deploy the function with template.yaml, which sets it",
        )

    def optional(self, name: str) -> str:
        """The value of a variable, empty if it is not set; raises OutsideError if it is unusable."""
        return self.required(name) if _bare(self.variables.get(name, "")) else ""

    def seconds(self, name: str) -> timedelta:
        """A whole number of seconds, at most a day; raises OutsideError."""
        value = self.required(name)
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(_MAX_SECONDS))):
            raise OutsideError(
                f"the function's variable {name} is not a number of seconds", remedy="write digits only, such as 60"
            )
        return timedelta(seconds=min(int(value), _MAX_SECONDS))
