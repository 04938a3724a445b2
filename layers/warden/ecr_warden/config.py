"""What a function is told by its environment, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ecr_warden.errors import WardenError


class ConfigError(WardenError):
    """A variable of the function's environment is missing or wrong."""

    code = "config"


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables that template.yaml sets; each is asked for by who needs it."""

    variables: Mapping[str, str]

    def required(self, name: str) -> str:
        """The value of a variable; raises ConfigError if it is missing or empty."""
        value = self.variables.get(name, "")
        if not value:
            raise ConfigError(f"{name} is not set", remedy="deploy the function with template.yaml, which sets it")
        return value

    def optional(self, name: str) -> str:
        """The value of a variable, empty if it is not set."""
        return self.variables.get(name, "")

    def seconds(self, name: str) -> timedelta:
        """A whole number of seconds; raises ConfigError."""
        value = self.required(name)
        if not value.isascii() or not value.isdigit():
            raise ConfigError(f"{name} is {value!r:.40}, not a number of seconds")
        return timedelta(seconds=int(value))
