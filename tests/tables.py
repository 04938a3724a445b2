"""YAML by libyaml: reading the tables was most of the time that collecting the tests took."""

from typing import Any

import yaml


def load(text: str) -> Any:
    """The value of a text that is right."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def load_texts(text: str) -> Any:
    """The same with every scalar as text."""
    return yaml.load(text, Loader=yaml.CBaseLoader)
