"""Lines of the journal, and what came of a command."""

from ecr_warden.model.codec.base import Json, flag, moment, number, reading, text
from ecr_warden.model.codec.jobs import cause_from_json, cause_to_json
from ecr_warden.model.request import Answer
from ecr_warden.model.run import OpenRun, Result, RunEntry, RunReport


def entry_of(run: OpenRun | RunReport) -> RunEntry:
    """A run's line."""
    entry = RunEntry(run.run_id, str(run.plan.target), run.cause, run.started_at)
    if isinstance(run, OpenRun):
        return entry
    written = len(run.applied)
    return RunEntry(entry.run_id, entry.target, entry.cause, entry.started_at, run.result, written)


def entry_to_json(entry: RunEntry) -> Json:
    """`{"runId", "target", "cause", "startedAt", "result", "written"}`; `result` is null while it is open."""
    return {
        "runId": entry.run_id,
        "target": entry.target,
        "cause": cause_to_json(entry.cause),
        "startedAt": entry.started_at.isoformat(),
        "result": entry.result,
        "written": entry.written,
    }


def _entry(value: Json) -> RunEntry:
    result = value["result"]
    return RunEntry(
        run_id=text(value["runId"]),
        target=text(value["target"]),
        cause=cause_from_json(value["cause"]),
        started_at=moment(value["startedAt"]),
        result=None if result is None else Result(result),
        written=number(value["written"]),
    )


def answer_to_json(answer: Answer) -> Json:
    """`{"target", "runId", "result", "done"}`."""
    return {"target": answer.target, "runId": answer.run_id, "result": answer.result, "done": answer.done}


def _answer(value: Json) -> Answer:
    return Answer(text(value["target"]), text(value["runId"]), Result(value["result"]), flag(value["done"]))


entry_from_json = reading("line of the journal", _entry)
answer_from_json = reading("answer", _answer)
