"""The files that a review of access keeps and signs: tables, and a manifest by which a change of them shows; pure."""

from collections.abc import Mapping
from hashlib import sha256

from ecr_warden import __version__
from ecr_warden.audit.finding_texts import sentence
from ecr_warden.core.codec.base import dumps, to_json
from ecr_warden_cli.page.rows import access_to_json, accesses, not_known, sets_of, table, to_csv
from ecr_warden_cli.report.report import Report

_FINDINGS = (
    *("finding", "kind", "certainty", "foreign", "principal", "accesses", "places", "leftOut", "firstSeen", "chain"),
    *("conditions", "because", "remedy", "accept"),
)
_REVIEW = (
    *("set", "repositories", "principal", "account", "teams", "access", "answer", "ground", "until"),
    *("keepOrRemove", "by", "when", "why"),
)
_SAID = ("madeAt", "origin", "specVersion", "mode", "parts", "administrators", "exceptions", "notGiven")


def evidence_of(report: Report, user: str) -> Mapping[str, str]:
    """The files by their names, the manifest last, so that a folder without it is known to lack some.

    `user`: who made the report.
    """
    found, form = [*accesses(report)], to_json(report)
    sets = sets_of(found)
    groups = zip(form["findings"], map(sentence, report.findings), strict=True)
    files = {
        "access.csv": to_csv(report),
        "findings.csv": table(
            _FINDINGS, [{**group, "certainty": "yes", **group["finding"], "finding": said} for group, said in groups]
        ),
        "unread.csv": table(("unread",), [{"unread": note} for note in not_known(report)]),
        "review.csv": table(
            _REVIEW, [{**access_to_json(one, report.matrix, sets), "repositories": len(one.rows)} for one in found]
        ),
    }
    manifest = {
        "schema": 1,
        **{name: form[name] for name in _SAID},
        "madeBy": user,
        "tool": f"ecr-warden {__version__}",
        "isComplete": not not_known(report),
        "sha256": {name: sha256(text.encode(errors="surrogateescape")).hexdigest() for name, text in files.items()},
    }
    return {**files, "manifest.json": dumps(manifest) + "\n"}
