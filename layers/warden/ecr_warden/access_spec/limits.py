"""Until when and from which networks a grant gives access."""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network

from ecr_warden.access_spec.check_shape import Fields
from ecr_warden.access_spec.nodes import Scalar
from ecr_warden.access_spec.problems import Code, ProblemReport, bare, quote
from ecr_warden.access_spec.spec import Limits

_UNTIL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2})?([Zz]|[+-][0-9]{2}:[0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NETWORK = re.compile(r"[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?")
# Wider ones are two or a few away from everybody; nobody's own network is that wide.
_WIDEST = {4: 8, 6: 16}


def build_limits(entry: Fields, now: datetime, report: ProblemReport) -> Limits:
    """The fields `until` and `source_ip` of a grant."""
    text = entry.text("until")
    until = None if text is None else parse_until(text, now, report)
    read = ((_network(scalar, report), scalar.place) for scalar in entry.texts("source_ip"))
    networks = report.each_once((network, place) for network, place in read if network is not None)
    if networks:
        report.add(Code.NO_ENDPOINTS, entry.place_of("source_ip"))
    return Limits(until, tuple(sorted(networks)))


def parse_until(text: Scalar, now: datetime, report: ProblemReport, past: Code = Code.UNTIL_PAST) -> datetime | None:
    """An end time in UTC, of a day that of its end; `past`: the problem of one in the past."""
    until = _moment(text.text)
    if until is None:
        is_written = _UNTIL.fullmatch(text.text) or _DAY.fullmatch(text.text)
        wrong = "not in the calendar" if is_written else "not a day, nor a time with a time zone"
        report.add(Code.UNTIL, text.place, f"{quote(text.text)} is {wrong}")
    elif until <= now:
        report.add(past, text.place, f"{quote(text.text)} is in the past")
    return until


def _moment(text: str) -> datetime | None:
    is_day = _DAY.fullmatch(text) is not None
    if not is_day and not _UNTIL.fullmatch(text):
        return None
    try:
        if is_day:
            return datetime.fromisoformat(f"{text}T00:00:00Z") + timedelta(days=1)
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _network(text: Scalar, report: ProblemReport) -> str | None:
    """A network in the one spelling of its own."""
    network = _read(text.text, strict=True)
    if network is not None and network.prefixlen >= _WIDEST[network.version]:
        return str(network)
    meant = None if network is not None else _read(text.text, strict=False)
    wrong = "as good as everybody" if network is not None else "not a network"
    remedy = None if meant is None else f"write {bare(str(meant))}"
    report.add(Code.SOURCE_IP, text.place, f"{quote(text.text)} is {wrong}", remedy=remedy)
    return None


def _read(text: str, *, strict: bool) -> IPv4Network | IPv6Network | None:
    if not _NETWORK.fullmatch(text):
        return None
    try:
        return ip_network(text, strict=strict)
    except ValueError:
        return None
