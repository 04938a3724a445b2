"""Pages of ministack's lists: it returns everything at once, whatever page size is requested."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.paging import PAGES, Paging, asked, cut
from local.aws.emulator.wire import Reply

_ALL = 1_000_000


def _number(value: Any) -> int | None:
    return int(value) if str(value or "").lstrip("-").isdigit() else None


def refusal(action: str, parameters: Mapping[str, Any]) -> Refused | None:
    """The error of a request for a page, if it has one. `action` is service:Action."""
    paging = PAGES.get(action)
    if paging is None:
        return None
    named = parameters.get(paging.alone) if paging.alone else None
    return asked(
        paging, _number(parameters.get(paging.size)), str(parameters.get(paging.token) or ""), len(named or ())
    )


def unpaged(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a JSON call for everything at once."""
    paging = PAGES.get(action)
    if paging is None or (paging.alone and parameters.get(paging.alone)):
        return parameters
    return {name: one for name, one in parameters.items() if name != paging.token} | {paging.size: _ALL}


def page(action: str, parameters: Mapping[str, Any], reply: Reply, short_pages: int) -> Reply:
    """The requested page of a reply that has everything."""
    paging = PAGES.get(action)
    if paging is None or reply[0] >= 400 or (paging.alone and parameters.get(paging.alone)):
        return reply
    size, token = _number(parameters.get(paging.size)), str(parameters.get(paging.token) or "")
    if reply[2][:1] == b"{":
        return _json_page(paging, reply, size, token, short_pages)
    fewest = min(size or paging.default, short_pages or paging.most)
    if not token and reply[2].count(b"<member>") <= fewest:
        return reply  # it cannot be more than a page, so it need not be read
    return _xml_page(paging, reply, size, token, short_pages)


def _json_page(paging: Paging, reply: Reply, size: int | None, token: str, short_pages: int) -> Reply:
    found: Any = json.loads(reply[2])
    shown = cut(paging, [len(found.get(name, ())) for name in paging.lists], size, token, short_pages)
    for name, part in zip(paging.lists, shown.parts, strict=True):
        found[name] = found.get(name, [])[part]
    found.pop(paging.next, None)
    return reply[0], reply[1], json.dumps(found | ({paging.next: shown.token} if shown.token else {})).encode()


def _xml_page(paging: Paging, reply: Reply, size: int | None, token: str, short_pages: int) -> Reply:
    root = ET.fromstring(reply[2])  # ministack's own answer, so trusted
    namespace = root.tag.partition("}")[0].removeprefix("{")
    ET.register_namespace("", namespace)
    space = f"{{{namespace}}}"
    result = root[0]
    lists = [result.find(f"{space}{name}") for name in paging.lists]
    shown = cut(paging, [0 if one is None else len(one) for one in lists], size, token, short_pages)
    for one, part in zip(lists, shown.parts, strict=True):
        if one is not None:
            one[:] = list(one)[part]
    truncated = result.find(f"{space}{paging.truncated}")
    if truncated is None:
        truncated = ET.SubElement(result, f"{space}{paging.truncated}")
    truncated.text = "true" if shown.token else "false"
    if shown.token:
        ET.SubElement(result, f"{space}{paging.next}").text = shown.token
    return reply[0], reply[1], ET.tostring(root, encoding="utf-8", xml_declaration=True)
