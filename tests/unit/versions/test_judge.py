"""The one rule for what waits, in the rows that define it (tests/cases/versions/judge.yaml), and in other words."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from ecr_warden.versions.judge import judge
from tests import tables
from tests.unit.versions.rows import NOW, ROWS, live_of, texts_of, versions_of

_FIRST_OTHER = next(number for number, row in enumerate(ROWS) if row["name"] == "the first observing spec") + 1
EVERYDAY = ROWS[:_FIRST_OTHER]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_what_waits(row: dict[str, Any]) -> None:
    versions = versions_of(*texts_of(row))
    live = live_of(row.get("live", {}), versions)
    found = judge(
        versions, live, removed_before=row.get("removed_before", 0), now=NOW, max_removed=row.get("max_removed")
    )
    assert sorted({one.code for one in found.held}) == sorted(row["held"]), found.held
    assert found.unseen == ()
    if row.get("gains") == "none":
        assert found.gains == ()
    else:
        assert any(row.get("gains", "") in one for one in (*found.gains, "")), found.gains
    assert any(row.get("loses", "") in one for one in (*found.loses, "")), found.loses


def _as_text(change: Callable[[Any], Any]) -> Callable[[str], str]:
    """A change of a spec's values as one of its text."""
    return lambda text: json.dumps(change(tables.load(text)), default=datetime.isoformat)


def _reversed(value: Any) -> Any:
    match value:
        case dict():
            return {key: _reversed(one) for key, one in reversed(value.items())}
        case list():
            return [_reversed(one) for one in reversed(value)]
        case _:
            return value


def _renamed(value: Any, key: str = "") -> Any:
    """With other aliases of accounts and organizations, and another name for the team."""
    names = {"ci": "build", "registry": "images", "spare": "extra", "acme": "all", "deployers": "people"}
    match value:
        case dict():
            is_named = key in ("accounts", "organizations", "teams")
            return {names.get(name, name) if is_named else name: _renamed(one, name) for name, one in value.items()}
        case list():
            return [_renamed(one, key) for one in value]
        case str() if key in ("account", "source", "organization", "pull", "by"):
            alias, colon, rest = value.partition(":")
            return names.get(alias, alias) + colon + rest
        case str() if key in names.values() or re.match(r"(ci|registry|spare):(user|role)/", value):
            alias, _, rest = value.partition(":")
            return f"{names[alias]}:{rest}"
        case _:
            return value


def _spelled(value: Any) -> Any:
    """With the statements of literal documents written otherwise."""
    match value:
        case {"Effect": _, "Action": action, **rest}:
            actions = [action] if isinstance(action, str) else action
            written = [f"ecr:{one[4:].swapcase()}" if one.startswith("ecr:") else one for one in (*actions, *actions)]
            return {"Sid": "Any", "Action": written, "Effect": value["Effect"]} | rest
        case dict():
            return {key: _spelled(one) for key, one in value.items()}
        case list():
            return [_spelled(one) for one in value]
        case _:
            return value


def _replaced(*pairs: tuple[str, str]) -> Callable[[str], str]:
    def change(text: str) -> str:
        for old, new in pairs:
            text = text.replace(old, new)
        return text

    return change


OTHER_WORDS: dict[str, Callable[[str], str]] = {
    "other account IDs": _replaced(("111111111111", "121212121212"), ("999999999999", "909090909090")),
    "another order": _as_text(_reversed),
    "other aliases": _as_text(_renamed),
    "other spelling of documents": _as_text(_spelled),
    "users under a path": _replaced(("user/anna", "user/team/anna"), ("user/reader", "user/team/reader")),
    "other IDs of owners": _replaced(("owner_id: 123", "owner_id: 77"), ('"owner_id": 123', '"owner_id": 77')),
}


@pytest.mark.thorough
@pytest.mark.parametrize("words", OTHER_WORDS.values(), ids=OTHER_WORDS.keys())
@pytest.mark.parametrize("row", EVERYDAY, ids=lambda row: row["name"])
def test_everyday_changes_in_other_words(row: dict[str, Any], words: Callable[[str], str]) -> None:
    versions = versions_of(*(text and words(text) for text in texts_of(row)))  # type: ignore[arg-type]
    live = live_of(tables.load(words(json.dumps(row.get("live", {})))), versions)
    found = judge(
        versions, live, removed_before=row.get("removed_before", 0), now=NOW, max_removed=row.get("max_removed")
    )
    assert sorted({one.code for one in found.held}) == sorted(row["held"]), found.held
