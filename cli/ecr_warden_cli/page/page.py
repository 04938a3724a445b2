"""One HTML page that needs nothing from outside: its style and script are in it, and nothing else may run."""

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib.resources import files

from htpy import (
    Element,
    Node,
    a,
    body,
    button,
    caption,
    dialog,
    div,
    form,
    h1,
    h2,
    h3,
    head,
    header,
    html,
    label,
    li,
    main,
    meta,
    noscript,
    option,
    p,
    script,
    section,
    select,
    span,
    strong,
    style,
    summary,
    table,
    tbody,
    td,
    th,
    thead,
    title,
    tr,
    ul,
)
from htpy import (
    details as disclosure,
)
from htpy import (
    input as field,
)
from markupsafe import Markup

from ecr_warden import __version__
from ecr_warden.audit.finding import Certainty, ConditionStatus, FindingGroup, FindingKind
from ecr_warden.audit.finding_texts import FindingCause, causes, details, sentence
from ecr_warden.audit.grounds import Ground
from ecr_warden.core.codec.base import dumps, to_json
from ecr_warden.core.desired import AlsoAllowed
from ecr_warden.core.naming import spelled
from ecr_warden_cli.hub.condition_words import CONDITION_WORDS
from ecr_warden_cli.page.rows import SharedAccess, accesses, not_known
from ecr_warden_cli.report.report import Origin, Report
from iam_access.text.printable import count, show_time

MAX_BYTES = 2_000_000
_SHOWN = 8
_ROOM_FOR_FINDINGS = 150_000
"""Characters: each of them is shown whole."""
_OLD = timedelta(days=1)
_MISSING = (FindingKind.MISSING,)


def page_of(report: Report, user: str = "") -> str:
    """The page; `user`: who made it. Outside text is escaped where it is put in, or reaches the page as a text node."""
    css, js = _file("page.css"), _file("page.js")
    policy = (
        f"default-src 'none'; script-src '{_hash(js)}'; style-src '{_hash(css)}'; base-uri 'none'; form-action 'none'"
    )
    made = html(lang="en")[
        head[
            meta(charset="utf-8"),
            meta(http_equiv="Content-Security-Policy", content=policy),
            meta(name="viewport", content="width=device-width, initial-scale=1"),
            meta(name="referrer", content="no-referrer"),
            title["Who can pull and push: ecr-warden"],
            style[_as_it_is(css)],
        ],
        body[
            _heading(report, user),
            main[
                _answers(report),
                _unread(report),
                _findings(report),
                _matrix(),
                _ends(report),
                _exceptions(report),
                _parts(report),
                _administrators(report),
            ],
            _detail(),
            script(type="application/json", id="data")[_as_it_is(_data(report))],
            script[_as_it_is(js)],
        ],
    ]
    return str(made)


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _as_it_is(text: str) -> Markup:
    """Text that is no HTML: this package's own style and script, and JSON that cannot end its element."""
    return Markup(text)  # noqa: S704


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data(report: Report) -> str:
    """The data that the script reads; nothing in it can end the script element."""
    ids = sorted({part.part.partition("/")[0] for part in report.parts})
    aliases = {part.part: part.alias for part in report.parts}
    text = dumps(
        {
            "madeAt": report.made_at.isoformat(),
            "matrix": to_json(report.matrix),
            "ends": to_json(report.ends),
            "conditions": CONDITION_WORDS,
            "accounts": [{"id": one, "alias": aliases.get(one, "")} for one in ids],
        }
    )
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _heading(report: Report, user: str) -> Element:
    origin = "by the deployed hub" if report.origin is Origin.HUB else "on a laptop"
    whoever = f", asked by {user}" if user else ""
    return header[
        h1["Who can pull and push"],
        p(class_="soft")[
            f"Made {origin} at {show_time(report.made_at)}",
            span(id="age"),
            f"{whoever}. ecr-warden {__version__}, spec {report.version}, mode {report.mode}. ",
            "Everything here is by the policies that could be read",
            "".join(f"; {text}" for text in report.not_given),
            ".",
        ],
    ]


def _answers(report: Report) -> Element:
    return section(class_="answers", aria_label="In short")[
        _extra_card(report), _maybe_card(report), _broken_card(report), _age_card(report)
    ]


def _card(kind: str, question: str, answer: str, *more: Node) -> Element:
    return div(class_=kind)[h2[question], strong[answer], more]


def _extra_card(report: Report) -> Element:
    question = "Who has access that the spec does not give?"
    extra = [access for access in _extra(report) if access.way.answer is not Certainty.UNKNOWN]
    others = sum(group.finding.kind not in (FindingKind.EXTRA, *_MISSING) for group in report.findings)
    more = p[f"and {count(others, 'other finding')}: see Findings"] if others else None
    if extra:
        return _card("bad", question, *_people(extra, report), _link("extra", "Show only this access"), more)
    if not_known(report) or any(_extra(report)):
        return _card("odd", question, "Nobody that is known", p["Not everything could be read or audited."], more)
    return _card("bad" if others else "good", question, "Nobody", more)


def _maybe_card(report: Report) -> Node:
    """Whoever may have more than the spec gives, as far as could be read; no card without anybody."""
    maybe = [access for access in _extra(report) if access.way.answer is Certainty.UNKNOWN]
    link = _link("maybe", "Show only what is unknown")
    return _card("odd", "Of whom is that unknown?", *_people(maybe, report), link) if maybe else None


def _link(fragment: str, text: str) -> Element:
    return p[a(href=f"#{fragment}=1")[text]]


def _extra(report: Report) -> Iterator[SharedAccess]:
    return (access for access in accesses(report) if access.way.ground is Ground.NONE)


def _people(found: Iterable[SharedAccess], report: Report) -> tuple[str, Element]:
    """The number of principals with these accesses, and the gravest by name."""
    names, gravity = Counter[str](), dict[str, tuple[bool, bool, bool]]()
    for access in found:
        name = access.principal.name
        names[name] += len(access.rows)
        gravity[name] = min(_gravity(access, report), gravity.get(name, (True,) * 3))
    gravest = sorted(names, key=lambda name: (gravity[name], -names[name], name))[:3]
    lines = [li[f"{_aliased(name, report)}: {count(names[name], 'access')}"] for name in gravest]
    rest = len(names) - len(lines)
    shown = ul[lines, li[f"and {count(rest, 'more principal')}"] if rest else None]
    return count(len(names), "principal"), shown


def _gravity(access: SharedAccess, report: Report) -> tuple[bool, bool, bool]:
    """The rank of an access, as among findings: outsiders, and of these what is certain, then anybody."""
    ours = {part.part.partition("/")[0] for part in report.parts}
    name, account = access.principal.name, access.principal.account
    return account in ours, access.way.answer is not Certainty.YES, not name.startswith(_ANYBODY)


_ANYBODY = ("*", "anyone", "anybody without")
"""How the words for whom everybody on the internet is begin."""


def _broken_card(report: Report) -> Element:
    conditions = report.matrix.conditions
    missing = sum(group.finding.kind in _MISSING for group in report.findings)
    broken = [
        *([li[f"{count(missing, 'finding')} of access that the spec gives and nobody has"]] if missing else []),
        *_conditions(report, ConditionStatus.FALSE),
    ]
    unknown = [
        *([li(class_="bad-text")[f"The audit failed: {report.failure}"]] if report.failure else []),
        *_conditions(report, ConditionStatus.UNKNOWN),
    ]
    false = sum(
        any(conditions[place].status is ConditionStatus.FALSE for place in row.health) for row in report.matrix.rows
    )
    answer = count(false, "repository") if false else "See below" if broken else "Nothing that is known"
    kind = "bad" if broken else "odd" if unknown else "good"
    return _card(
        kind,
        "What is broken?",
        answer,
        ul[broken] if broken else None,
        p[a(href="#unhealthy=1")["Show only these repositories"]] if false else None,
        [h3["Not known"], ul[unknown], p[a(href="#unknown=1")["Show only these repositories"]]] if unknown else None,
    )


def _conditions(report: Report, status: ConditionStatus) -> list[Element]:
    """The conditions that have a status, each with the number of repositories."""
    found = Counter(
        words[status]
        for row in report.matrix.rows
        for words, place in zip(CONDITION_WORDS, row.health, strict=False)
        if report.matrix.conditions[place].status is status
    )
    return [li[f"{words}: {count(number, 'repository')}"] for words, number in sorted(found.items())]


def _age_card(report: Report) -> Element:
    question = "How old is this?"
    read = [(part_read.read_at, part_read.part) for part_read in report.parts if part_read.read_at is not None]
    if not read:
        return _card("bad", question, "Nothing was read")
    oldest, part = min(read)
    minutes = (report.made_at - oldest) // timedelta(minutes=1)
    answer = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    kind = "bad" if len(read) < len(report.parts) else "odd" if report.made_at - oldest > _OLD else "good"
    more = p[f"The oldest part, {part}, was read at {show_time(oldest)}."]
    return _card(kind, question, f"{answer} when it was made", more)


def _unread(report: Report) -> Node:
    notes = [_aliased(note, report) for note in not_known(report)]
    if report.matrix.statements_left_out:
        notes.append(f"{count(report.matrix.statements_left_out, 'statement')}: there was no room for the text")
    if not notes:
        return None
    return section(class_="unread", aria_labelledby="unread-heading")[
        h2(id="unread-heading")["What could not be read, and so is not in this report"],
        ul[(li[note] for note in notes)],
    ]


def _findings(report: Report) -> Element:
    fitting = tuple(_fitting(report.findings))
    every, left_out = causes(fitting), report.findings_left_out + len(report.findings) - len(fitting)
    shown, rest = every[:_SHOWN], every[_SHOWN:]
    more = f" and {left_out} more" if left_out else ""
    return section(aria_labelledby="findings-heading")[
        h2(id="findings-heading")[f"Findings ({len(every)}{more})"],
        p(class_="soft")["What the last audit found, once the documents of the spec are repaired."],
        ul[(_finding(cause, report) for cause in shown)] if shown else p["None."],
        disclosure[summary[f"{len(rest)} more"], ul[(_finding(cause, report) for cause in rest)]] if rest else None,
        p[f"{count(left_out, 'further finding')} did not fit: report --json has them"] if left_out else None,
    ]


def _fitting(groups: Iterable[FindingGroup]) -> Iterator[FindingGroup]:
    room = _ROOM_FOR_FINDINGS
    for group in groups:
        room -= len(dumps(to_json(group)))
        if room < 0:
            return
        yield group


def _finding(cause: FindingCause, report: Report) -> Element:
    group, others = cause.group, cause.others
    lines = [_aliased(entry.text, report) for entry in details(group, others).entries]
    return li[
        span(class_="bad-text" if group.finding.kind not in _MISSING else "unknown")[
            _aliased(sentence(group, len(others)), report)
        ],
        f" (found {show_time(group.first_seen)})",
        disclosure[summary["The way, and what closes it"], ul[(li[text] for text in lines)]] if lines else None,
    ]


def _matrix() -> Element:
    return section(aria_labelledby="matrix-heading")[
        h2(id="matrix-heading")["Access"],
        noscript[p["The matrix needs JavaScript; ecr-warden report --csv writes it as a table."]],
        _filters(),
        _legend(),
        p(id="count", role="status"),
        div(class_="scroll", tabindex="0", role="region", aria_label="Access by repository and principal")[
            table(id="matrix")[
                caption(class_="soft")[
                    span["Repositories and the principals with access; a cell opens its chain and statements."]
                ],
                thead,
                tbody,
            ]
        ],
        div(id="printed"),
        _pager("rows", "Repositories"),
        _pager("columns", "Principals"),
    ]


def _legend() -> Element:
    samples = (
        ("way none", "! pull", "the spec does not give it"),
        ("way spec", "pull", "the spec gives it"),
        ("way own", "pull", "an administrator, also_allowed, ecr-warden's own, or a repository beside the spec"),
        ("way", "pull ?", "under conditions, or not certain"),
        ("mark false", "differs from the spec", "of the documents of the repository and of who is granted access"),
        ("mark false", "access differs", "others have access than those whom the spec names"),
        ("mark false", "read long ago", "so that the rest may be out of date"),
        ("mark unknown", "not compared", "not known"),
    )
    return disclosure(class_="key")[
        summary["Legend"],
        ul[(li[span(class_=kind)[text], f" {meaning}"] for kind, text, meaning in samples)],
    ]


def _filters() -> Element:
    checks = (
        ("extra", "not in spec"),
        ("maybe", "perhaps extra"),
        ("unhealthy", "broken repositories"),
        ("unknown", "not known"),
        ("expiring", "ends within 30 days"),
    )
    return form(id="filters", role="search", aria_label="Filters")[
        label["Repository or principal", field(type="search", name="q", autocomplete="off", spellcheck="false")],
        label["Account", select(name="account", id="account")[option(value="")["all"]]],
        label["Team", select(name="team", id="team")[option(value="")["all"]]],
        label[
            "Access",
            select(name="access")[
                option(value="")["pull or push"], option(value="pull")["pull"], option(value="push")["push"]
            ],
        ],
        (label(class_="check")[field(type="checkbox", name=name), text] for name, text in checks),
        button(type="reset")["Clear"],
    ]


def _pager(name: str, what: str) -> Element:
    return div(id=name, class_="pager", role="group", aria_label=what, hidden=True)[
        f"{what} ", span, button(type="button")["Previous"], button(type="button")["Next"]
    ]


def _detail() -> Element:
    return dialog(id="detail", aria_labelledby="detail-title")[
        header[h2(id="detail-title"), button(type="button", id="close")["Close"]],
        div(id="detail-body"),
    ]


def _ends(report: Report) -> Element:
    rows = [
        (show_time(end.until), str(end.access), end.who, end.through, end.repository, _when(end.until, report.made_at))
        for end in report.ends
    ]
    return section(aria_labelledby="ends-heading")[
        h2(id="ends-heading")["Grants that end"],
        _table(("Until", "Access", "Who", "Through", "Repository", ""), rows)
        if rows
        else p["No grant of the spec has an end."],
    ]


def _exceptions(report: Report) -> Element:
    def row(one: AlsoAllowed) -> tuple[str, ...]:
        where = ", ".join(filter(None, (one.account, *one.repositories))) or "everywhere"
        until = ("never", "") if one.until is None else (show_time(one.until), _when(one.until, report.made_at))
        who, access = ", ".join(one.principals), ", ".join(one.access) or "any"
        return _aliased(who, report), access, _aliased(where, report), one.reason, *until

    return section(aria_labelledby="exceptions-heading")[
        h2(id="exceptions-heading")["Exceptions"],
        p(class_="soft")["Access that also_allowed in the spec covers and no grant gives. An entry names no owner."],
        _table(("Who", "Access", "Where", "Reason", "Until", ""), [row(one) for one in report.exceptions])
        if report.exceptions
        else p["The spec has none."],
    ]


def _when(until: datetime, now: datetime) -> str:
    days = (until - now).days
    return "ended" if until <= now else "within a day" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"


def _parts(report: Report) -> Element:
    rows = [
        (part.part, part.alias, *("never" if at is None else show_time(at) for at in (part.read_at, part.swept_at)))
        for part in report.parts
    ]
    is_hub = report.origin is Origin.HUB
    headings = ("Account or registry", "Alias", "Read at", "Compared with the spec at")
    asked = Counter("registry" if "/" in part.part else "account" for part in report.parts)
    never = [_aliased(part.part, report) for part in report.parts if part.read_at is None]
    return section(aria_labelledby="parts-heading")[
        h2(id="parts-heading")["What was asked for, and what was read"],
        p[f"Asked for: {' and '.join(count(asked[one], one) for one in sorted(asked)) or 'nothing'}."],
        p(class_="bad-text")[f"Never read: {', '.join(never)}"] if never else p["All of it was read."],
        _table(headings if is_hub else headings[:3], rows if is_hub else [row[:3] for row in rows]),
    ]


def _administrators(report: Report) -> Element:
    accounts = sorted({part.part.partition("/")[0] for part in report.parts} | report.administrators.keys())
    known = {account: ", ".join(names) or "none" for account, names in report.administrators.items()}
    lines = [li[_aliased(f"{account}: {known.get(account, 'not known')}", report)] for account in accounts]
    return section(aria_labelledby="administrators-heading")[
        h2(id="administrators-heading")["Administrators"],
        p(class_="soft")[
            "They can write repository policies or change what others may do, and so give themselves access."
        ],
        ul[lines] if lines else p["Not known."],
    ]


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Element:
    return div(class_="scroll", tabindex="0", role="group", aria_label=f"table: {headings[0]}, {headings[1]}")[
        table[
            thead[tr[(th(scope="col")[text or span["When"]] for text in headings)]],
            tbody[(tr[(td[text] for text in row)] for row in rows)],
        ]
    ]


def _aliased(text: str, report: Report) -> str:
    """A text with users and roles as people write them, and the aliases of the spec beside account IDs."""
    return spelled(text, {part.part: part.alias for part in report.parts if part.alias})
