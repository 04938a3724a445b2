"""All questions, and the table in docs/schema/asked.md that has AWS's answers to them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.smoke.deployed import DEPLOYED_PROBES
from local.smoke.event_probes import EVENT_PROBES
from local.smoke.images import IMAGE_PROBES
from local.smoke.principals import PRINCIPAL_PROBES
from local.smoke.probes import ECR_PROBES, Asked, Probe
from local.smoke.session_probes import SESSION_PROBES

PAGE = Path(__file__).parents[2] / "docs" / "schema" / "asked.md"
LAB_PROBES = (*ECR_PROBES, *PRINCIPAL_PROBES, *IMAGE_PROBES, *EVENT_PROBES, *SESSION_PROBES)
PROBES: tuple[Probe[Any], ...] = (*LAB_PROBES, *DEPLOYED_PROBES)
NOT_ASKED = "-"
_HEAD = "| question to AWS | taken for granted | AWS |\n|---|---|---|\n"
_TABLE = re.compile(re.escape(_HEAD) + r"(?:\|.*\n)*")


def write_answers(asked: Sequence[Asked], page: Path = PAGE) -> Path:
    """Put the answers into the page's table, each with its day, and leave those of questions that were not settled."""
    text = page.read_text(encoding="utf-8")
    answers = answers_in(text) | {
        one.probe.question: f"{one.answer.found} ({datetime.now(UTC):%Y-%m-%d})"
        for one in asked
        if one.answer is not None
    }
    page.write_text(_TABLE.sub(lambda _: table(answers), text), encoding="utf-8")
    return page


def answers_in(text: str) -> dict[str, str]:
    """The answers of the page's table, by question."""
    found = _TABLE.search(text)
    rows = [line.strip("| ").split(" | ") for line in found[0].splitlines()[2:]] if found else []
    return {question: answer for question, _, answer in rows}


def table(answers: dict[str, str]) -> str:
    """The whole table."""
    rows = (f"| {one.question} | {one.assumed} | {answers.get(one.question, NOT_ASKED)} |\n" for one in PROBES)
    return _HEAD + "".join(rows)
