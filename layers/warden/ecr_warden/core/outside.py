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
MAX_BYTES = 32 * 1024 * 1024
"""The limit for the JSON of an object in the state bucket: longer texts are neither written nor read.

A survey has two of them, and takes some 165 MB for objects of this size whose policies are text: a named error is
better than a killed process, which takes other jobs with it.
"""


class OutsideError(NamedError, code="outside"):
    """Text from outside is missing or unusable; the error names its place, never its content."""


def outside_text(value: object, place: str, *, remedy: str = "") -> str:
    """The text found at `place`, without byte order mark and surrounding white space.

    Raises OutsideError for whatever is no text, for text that is empty or longer than MAX_CHARACTERS, and for text with
    a control, invisible or undecodable character.
    """
    if not isinstance(value, str):
        raise OutsideError(f"{place} is not text", remedy=remedy)
    if len(value) > MAX_CHARACTERS:
        raise OutsideError(f"{place} is longer than {MAX_CHARACTERS:,} characters", remedy=remedy)
    text = _bare(value)
    if not text:
        raise OutsideError(f"{place} is empty", remedy=remedy)
    if not text.isprintable():
        raise OutsideError(f"{place} contains a control or invisible character", remedy=remedy)
    return text


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
            remedy="ecr-warden deploy: it sets it",
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
