"""`report`: one page, a table, or JSON; from a snapshot, from the accounts, or from the hub."""

import copy
import csv
import html
import io
import json
import os
import re
import stat
from collections import Counter
from copy import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ecr_warden import __version__
from ecr_warden.state.specs import SpecVersion
from ecr_warden_cli.page.page import MAX_BYTES
from ecr_warden_cli.page.rows import to_csv
from local.testing.memory.hub import ManualClock
from local.testing.printed import complete
from local.testing.seed import ACCEPTED, CI, HOME, SPEC_FILE
from tests.cli.command import Command, Ran
from tests.cli.test_hub import over
from tests.reports import APPS, OUTSIDER, REGISTRY, example, snapshot, spec_text
from tests.usecases.test_audit import REGISTRY as PART
from tests.usecases.test_audit import Estates

SHADOW = f"arn:aws:iam::{REGISTRY}:role/ecr-warden/shadow-pusher"


class Laptop:
    """A folder with a spec and a snapshot of its accounts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command = Command()
        self.spec, self.snapshot = folder / "access.yaml", folder / "estate.json"
        self.spec.write_bytes(spec_text())
        self.keep(whole())

    def keep(self, given: dict[str, Any]) -> None:
        self.snapshot.write_text(json.dumps(given))

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def __call__(self, *more: str) -> Ran:
        return self.command("report", "--spec", str(self.spec), "--snapshot", str(self.snapshot), *more)


def whole() -> dict[str, Any]:
    """The snapshot of the example, of which everything was read."""
    given = snapshot()
    registry = given["accounts"][REGISTRY]
    del registry["unread"]
    registry["ecr"]["eu-central-1"]["repositories"].pop()
    return given


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)


def test_a_page_of_a_snapshot_is_for_its_owner_alone(laptop: Laptop) -> None:
    ran = laptop("-o", laptop.file("report.html"))
    file = laptop.folder / "report.html"
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        f"{file}: {len(APPS) + 1} repositories, 12 principals, 8 accesses that the spec does not give, 2 findings\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    page = file.read_text()
    assert page.startswith("<!doctype html>")
    assert len(page) < MAX_BYTES
    assert f"not compared: {len(APPS)} repositories" in page
    assert SHADOW in page


def test_what_exists_is_replaced_only_with_force(laptop: Laptop) -> None:
    for name in ("report.html", "access.csv"):
        (laptop.folder / name).write_text("precious")
        (laptop.folder / name).chmod(0o644)
    for more in (("-o", laptop.file("report.html")), ("--csv", laptop.file("access.csv"))):
        ran = laptop(*more)
        assert ran.code == 1
        assert "exists, and nothing is overwritten; give the path of a new file, or add --force" in ran.err
        assert Path(more[1]).read_text() == "precious"
        assert laptop(*more, "--force").code == 0
        assert Path(more[1]).read_text() != "precious"
        assert stat.S_IMODE(Path(more[1]).stat().st_mode) == 0o600


def test_a_device_keeps_its_permissions(laptop: Laptop) -> None:
    before = Path(os.devnull).stat().st_mode
    try:
        assert laptop("--csv", os.devnull, "--force").code == 0
        assert Path(os.devnull).stat().st_mode == before
    finally:
        if Path(os.devnull).stat().st_mode != before:
            Path(os.devnull).chmod(stat.S_IMODE(before))


@pytest.mark.parametrize("option", ["-o", "--csv", "--evidence"])
def test_neither_page_nor_table_goes_to_stdout(laptop: Laptop, option: str) -> None:
    ran = laptop(option, "-")
    assert (ran.code, ran.out) == (1, "")
    assert "--json for data on stdout" in ran.err
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere/report.html", "cannot be written: No such file or directory; give another path"),
        ("", " is empty; give the path of a new "),
    ],
)
@pytest.mark.parametrize("option", ["-o", "--csv", "--evidence"])
def test_what_cannot_be_written_is_an_error_before_anything_is_read(
    laptop: Laptop, option: str, name: str, problem: str
) -> None:
    laptop.snapshot.unlink()
    ran = laptop(option, name and laptop.file(name), "--force")
    assert (ran.code, ran.out) == (1, "")
    assert problem in ran.err
    assert not Path("ecr-warden-report.html").exists()


@pytest.mark.parametrize("option", ["-o", "--csv"])
@pytest.mark.parametrize("name", ["access.yaml", "./estate.json"])
def test_no_report_replaces_what_it_is_made_of(laptop: Laptop, option: str, name: str) -> None:
    before = (laptop.spec.read_bytes(), laptop.snapshot.read_bytes())
    ran = laptop(option, laptop.file(name), "--force")
    assert (ran.code, ran.out) == (1, "")
    assert "the report is made of it; give another path" in ran.err
    assert (laptop.spec.read_bytes(), laptop.snapshot.read_bytes()) == before


class Ticking(ManualClock):
    """A clock on which each look takes a second."""

    def now(self) -> datetime:
        self.advance(timedelta(seconds=1))
        return self.time


def test_a_snapshot_without_a_time_is_not_of_the_future(laptop: Laptop) -> None:
    laptop.command = Command(clock=Ticking())
    laptop.keep({name: value for name, value in whole().items() if name != "takenAt"})
    assert laptop("-o", laptop.file("report.html")).code == 0
    assert "<strong>0 min when it was made</strong>" in (laptop.folder / "report.html").read_text()


def test_what_could_not_be_read_is_said_and_is_an_error(laptop: Laptop) -> None:
    laptop.keep(snapshot())
    ran = laptop("-o", laptop.file("report.html"))
    assert ran.code == 1
    assert "not in the report: 222222222222/eu-central-1: repository policy of base/go: AccessDenied" in ran.err
    assert (laptop.folder / "report.html").exists()


def test_an_account_without_an_entry_is_never_read(laptop: Laptop) -> None:
    given = whole()
    del given["accounts"]["111111111111"]
    laptop.keep(given)
    ran = laptop("--json")
    assert ran.code == 1
    assert {one["part"]: one["readAt"] for one in ran.json["parts"]}["111111111111"] is None
    assert "111111111111: users and roles: not read" in ran.json["unread"]


def test_the_page_says_who_made_it_its_scope_the_administrators_and_the_exceptions(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "<alice>")
    given, spec = whole(), json.loads(spec_text())
    spec["accounts"]["lab"] = {"id": "333333333333"}
    spec["also_allowed"] = [
        {"principals": [SHADOW], "reason": "scans <images>", "until": "2026-12-31T00:00:00Z"},
        {"principals": ["arn:aws:iam::222222222222:user/audit"], "reason": "audits", "access": ["pull"]},
    ]
    admin = copy.deepcopy(given["accounts"][REGISTRY]["iam"]["UserDetailList"][0])
    given["accounts"][CI]["iam"]["UserDetailList"].append({**admin, "Arn": f"arn:aws:iam::{CI}:user/ada"})
    laptop.spec.write_text(json.dumps(spec))
    given["accounts"]["444444444444"] = {
        "iam": {"UserDetailList": [{**admin, "Arn": "arn:aws:iam::444444444444:user/a"}]}
    }
    laptop.keep(complete(given))
    assert laptop("-o", laptop.file("report.html")).code == 1
    page = re.sub(r"<[^>]+>", " ", (laptop.folder / "report.html").read_text())
    page = html.unescape(re.sub(r"\s+", " ", page))
    for said in (
        f"asked by <alice> . ecr-warden {__version__}, spec sha256:",
        "Asked for: 3 accounts and 1 registry.",
        "Never read: lab (333333333333)",
        "lab (333333333333): not known",
        "ci (111111111111): ci:user/ada",
        "any everywhere scans <images> 2026-12-31T00:00:00Z in ",
        "registry:user/audit pull everywhere audits never",
    ):
        assert said.replace(" .", ".") in page.replace(" .", "."), said
    assert "444444444444" not in page.partition("and so give themselves access.")[2].partition("{")[0]


def test_the_json_has_each_access_with_its_ground(laptop: Laptop) -> None:
    ran = laptop("--json")
    assert ran.code == 0
    assert [*laptop.folder.glob("*.html")] == []
    form = ran.json
    assert (form["schema"], form["origin"]) == (2, "laptop")
    assert len(form["repositories"]) == len(APPS) + 1
    extra = {(one["principal"], one["access"]) for one in form["accesses"] if one["ground"] == "none"}
    assert extra == {(who, how) for who in (SHADOW, f"anybody in account {OUTSIDER}") for how in ("pull", "push")}
    named = {one["repository"]: one["health"] for one in form["repositories"]}
    assert named["repository/222222222222/eu-central-1/old/prototype"] is None
    assert named["repository/222222222222/eu-central-1/shop/search"]["inSync"]["reason"] == "NotCompared"
    assert {end["until"] for end in form["ends"]} == {"2026-12-06T06:00:00+00:00"}


def test_the_table_has_the_same_accesses(laptop: Laptop) -> None:
    ran = laptop("--csv", laptop.file("access.csv"), "--json")
    rows = list(csv.DictReader(io.StringIO((laptop.folder / "access.csv").read_text())))
    assert ran.code == 0
    members = [(row["set"], row["repository"]) for row in rows if row["repository"]]
    assert members == [(one["set"], name) for one in ran.json["sets"] for name in one["repositories"]]
    assert [(row["set"], row["principal"], row["access"]) for row in rows[len(members) :]] == [
        (one["set"], one["principal"], one["access"]) for one in ran.json["accesses"]
    ]
    assert {row["teams"] for row in rows if row["principal"].endswith("deploy-1")} == {"deployers"}


def _rows(file: Path) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(file.read_text(), newline=""))]


def test_evidence_is_tables_of_everything_that_a_manifest_vouches_for(laptop: Laptop) -> None:
    ran = laptop("--evidence", laptop.file("review/"), "--json")
    folder = laptop.folder / "review"
    assert ran.code == 0
    assert [*laptop.folder.glob("*.html")] == []
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    manifest = json.loads((folder / "manifest.json").read_text())
    hashes = {one.name: sha256(one.read_bytes()).hexdigest() for one in folder.glob("*.csv")}
    assert hashes.keys() == {"access.csv", "findings.csv", "unread.csv", "review.csv"}
    assert manifest["sha256"] == hashes
    assert manifest["isComplete"]
    assert manifest["tool"] == f"ecr-warden {__version__}"
    assert (manifest["specVersion"], manifest["madeAt"]) == (ran.json["specVersion"], ran.json["madeAt"])
    review, access, found = (_rows(folder / f"{name}.csv") for name in ("review", "access", "findings"))
    sizes = Counter(row["set"] for row in access if row["repository"])
    named = [(row["set"], row["principal"], row["access"]) for row in access if row["principal"]]
    assert [(row["set"], row["principal"], row["access"]) for row in review] == named
    assert {row["set"]: int(row["repositories"]) for row in review} == sizes
    assert {row[name] for row in review for name in ("keepOrRemove", "by", "when", "why")} == {""}
    assert [row["places"].split("; ") for row in found] == [one["places"] for one in ran.json["findings"]]
    assert all(row["finding"].endswith("NOT IN SPEC") and row["remedy"] for row in found)
    assert _rows(folder / "unread.csv") == []


def _unreadable_policy(given: dict[str, Any]) -> None:
    given["accounts"][REGISTRY]["unread"] = snapshot()["accounts"][REGISTRY]["unread"]
    repositories = given["accounts"][REGISTRY]["ecr"]["eu-central-1"]["repositories"]
    repositories.append({"repositoryName": "base/go"})


def _no_account(given: dict[str, Any]) -> None:
    del given["accounts"][CI]


def _no_region(given: dict[str, Any]) -> None:
    given["accounts"][REGISTRY]["ecr"] = {}


NOT_READ = {
    "a policy": (_unreadable_policy, "222222222222/eu-central-1: repository policy of base/go: AccessDeniedException"),
    "an account": (_no_account, "111111111111: users and roles: not read"),
    "a region": (_no_region, "222222222222/eu-central-1: the registry: not read"),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_evidence_of_what_was_not_all_read_is_called_incomplete(laptop: Laptop, name: str) -> None:
    change, line = NOT_READ[name]
    given = whole()
    change(given)
    laptop.keep(given)
    ran = laptop("--evidence", laptop.file("review"))
    folder = laptop.folder / "review-INCOMPLETE"
    assert ran.code == 1
    assert ran.out.startswith(f"{folder}: ")
    assert not (laptop.folder / "review").exists()
    assert line in [row["unread"] for row in _rows(folder / "unread.csv")]
    assert not json.loads((folder / "manifest.json").read_text())["isComplete"]


@pytest.mark.parametrize("exists", ["review/notes.txt", "review", "review-INCOMPLETE"])
def test_evidence_replaces_nothing_even_by_force(laptop: Laptop, exists: str) -> None:
    file = laptop.folder / exists
    file.parent.mkdir(exist_ok=True)
    file.write_text("precious")
    laptop.snapshot.unlink()
    ran = laptop("--evidence", laptop.file("review"), "--force")
    assert (ran.code, ran.out) == (1, "")
    assert "exists, and nothing is overwritten; give the path of a new folder" in ran.err
    assert file.read_text() == "precious"


def test_evidence_that_cannot_be_written_says_why(laptop: Laptop) -> None:
    (laptop.folder / "file").touch()
    ran = laptop("--evidence", laptop.file("file/review"))
    assert (ran.code, ran.out) == (1, "")
    assert "file/review cannot be written: Not a directory; give another path" in ran.err


def test_the_first_card_names_outsiders_before_insiders_as_findings_do(laptop: Laptop) -> None:
    given = whole()
    roles = given["accounts"][REGISTRY]["iam"]["RoleDetailList"]
    if_known = {"StringEquals": {"sts:ExternalId": "k"}}
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": if_known}
    pull = {"Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Resource": "*"}
    own = [{"PolicyName": "own", "PolicyDocument": {"Statement": pull}}]
    arn = f"arn:aws:iam::{REGISTRY}:role/open"
    roles.append({"Arn": arn, "AssumeRolePolicyDocument": {"Statement": trust}, "RolePolicyList": own})
    laptop.keep(complete(given))
    laptop("-o", laptop.file("report.html"))
    card = (laptop.folder / "report.html").read_text().partition("What is broken?")[0]
    named = re.findall(r"<li>([^<]+): \d+ access", card)
    assert named[:2] == [f"anybody in account {OUTSIDER}", "anyone on the internet with an AWS account"]
    assert named[2].startswith("registry:role/ecr-warden/shadow-pusher")


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_table_is_a_formula(begins: str) -> None:
    report = example()
    principals = tuple(replace(one, name=f'{begins}cmd|" /C calc"!A0,"{one.name}"') for one in report.matrix.principals)
    report = replace(report, matrix=replace(report.matrix, principals=principals))
    rows = list(csv.DictReader(io.StringIO(to_csv(report), newline="")))
    assert {row["principal"][:2] for row in rows if not row["repository"]} == {f"'{begins}"}


def hubs() -> Estates:
    """An estate of a hub that knows the text of its spec."""
    estates = Estates()
    estates.world.specs.file = SpecVersion(ACCEPTED.version, SPEC_FILE.read_bytes())
    estates.audit()
    return estates


def of_hub(estates: Estates) -> Any:
    ran = over(estates.world)("report", "--hub", "--json")
    assert ran.code == 0, ran.err
    return ran.json


def test_the_report_of_the_hub_is_of_now(tmp_path: Path) -> None:
    estates = hubs()
    estates.world.clock.advance(timedelta(hours=7))
    report = of_hub(estates)
    assert datetime.fromisoformat(report["madeAt"]) == estates.world.clock.now()
    assert (report["origin"], report["specVersion"]) == ("hub", ACCEPTED.version)
    assert {(one["part"], one["alias"]) for one in report["parts"]} == {(CI, "ci"), (HOME, "registry"), (PART, "")}
    assert over(estates.world)("report", "--hub", "-o", str(tmp_path / "report.html")).code == 0
    assert "Made by the deployed hub" in (tmp_path / "report.html").read_text()


WRONG = {
    "a snapshot with --hub": (("--hub", "--snapshot", "x.json"), "--hub with --snapshot"),
    "one file for both": (("--hub", "-o", "x", "--csv", "x"), "-o and --csv name the same file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused_before_files_are_looked_at(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ecr-warden-report.html").touch()
    argv, problem = WRONG[name]
    ran = Command()("report", *argv)
    assert ran.code == 1
    assert problem in ran.err


# ---------------------------------------------------------------- without a hub nobody repairs

PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}


def _open_repository(given: dict[str, Any]) -> None:
    """What the spec's repair would end, if there were a hub."""
    [first, *_] = given["accounts"][REGISTRY]["ecr"]["eu-central-1"]["repositories"]
    policy = json.loads(first["policy"]) if isinstance(first["policy"], str) else first["policy"]
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    first["policy"] = {**policy, "Statement": [*statements, PUBLIC]}


def _findings(ran: Ran) -> list[tuple[str, str, str]]:
    found = (one["finding"] for one in json.loads(ran.out)["findings"])
    return [(one["place"], one["access"], one["principal"]) for one in found if one.get("foreign")]


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_report_without_a_hub_finds_who_gets_in_until_a_repair(laptop: Laptop, mode: str) -> None:
    laptop.spec.write_bytes(spec_text().replace(b"enforce", mode.encode()))
    everybody = "pull", "anyone on the internet with an AWS account"
    assert everybody not in [one[1:] for one in _findings(laptop("--json"))]
    given = whole()
    _open_repository(given)
    laptop.keep(given)
    assert everybody in [one[1:] for one in _findings(laptop("--json"))]
    short = laptop.command("check", str(laptop.spec), "--snapshot", str(laptop.snapshot))
    assert "anyone on the internet with an AWS account can pull" in short.out
