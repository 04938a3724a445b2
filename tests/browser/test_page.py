"""The report in a real browser: what people see, find, open, link, print and hear."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bench.open_to_all import report_of
from bench.report import large, pages_of
from ecr_warden_cli.page.page import MAX_BYTES
from ecr_warden_cli.page.rows import accesses as shared
from ecr_warden_cli.page.rows import to_csv
from ecr_warden_cli.report.report import Report
from tests.browser.conftest import Open
from tests.reports import APPS, CI, OUTSIDER, REGISTRY, example, hostile, snapshot

SHADOW = f"arn:aws:iam::{REGISTRY}:role/ecr-warden/shadow-pusher"
LEDGER = f"repository/{REGISTRY}/eu-central-1/billing/ledger"
ATTACK = '"><img src=x onerror="window.attacked=1"></script><script>window.attacked=1</script>'
MANY_NODES = 3_000
ROWS = len(APPS) + 2 - 2
"""Two of shop/ have the same access, and so do the two of billing/."""
# The texts between two places for a break that are on more than one line.
BROKEN_WORDS = """() => {
  const found = [], nodes = document.createTreeWalker(document.getElementById("matrix").tHead, NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(node);
    if (!/\\s/.test(node.data) && range.getClientRects().length > 1) found.push(node.data);
  }
  return found;
}"""


def names(page: Page) -> list[str]:
    """The repositories in the table."""
    return page.locator("#matrix tbody .name").all_inner_texts()


def heads(page: Page) -> list[str]:
    """The principals in the table."""
    return [one.splitlines()[0] for one in page.locator("#matrix thead th").all_inner_texts()[1:]]


def fragment(page: Page) -> str:
    return page.url.partition("#")[2]


def test_the_first_screen_says_who_has_too_much_what_is_broken_and_how_old_it_is(open_page: Open) -> None:
    page = open_page()
    cards = page.locator(".answers > div")
    expect(cards).to_have_count(4)
    for card, words in zip(cards.all(), ("2 principals", "5 principals", "repositories", "12 min"), strict=True):
        expect(card).to_contain_text(words)
        expect(card).to_be_in_viewport(ratio=1)
    expect(cards.first).to_contain_text("shadow-pusher")
    expect(cards.first).to_contain_text(f"anybody in account {OUTSIDER}")
    expect(page.locator(".unread")).to_be_in_viewport()


def test_who_may_have_access_for_all_that_was_read_has_a_card_of_their_own(
    open_page: Open, written: Callable[[Report], Path]
) -> None:
    estate = snapshot()
    registry = estate["accounts"][REGISTRY]
    del registry["unread"], registry["ecr"]["eu-central-1"]["repositories"][-1]
    missing = [{"PolicyArn": f"arn:aws:iam::{REGISTRY}:policy/gone", "PolicyName": "gone"}]
    registry["iam"]["RoleDetailList"][-1] |= {"RolePolicyList": [], "AttachedManagedPolicies": missing}
    page = open_page(file=written(example(estate)))
    cards = page.locator(".answers > div")
    expect(cards).to_have_count(4)
    expect(cards.first).to_contain_text("Nobody that is known")
    expect(cards.nth(1)).to_contain_text("2 principals")
    expect(cards.nth(1)).to_contain_text("shadow-pusher")
    cards.nth(1).get_by_role("link").click()
    assert fragment(page) == "maybe=1"
    expect(page.get_by_role("checkbox", name="perhaps extra")).to_be_checked()
    assert {*heads(page)} == {f"anybody in account {OUTSIDER}", "role/ecr-warden/shadow-pusher"}
    page.get_by_role("checkbox", name="perhaps extra").uncheck()
    page.get_by_role("checkbox", name="not in spec").check()
    expect(page.locator("#count")).to_have_text("Nothing fits these filters.")


SHOP = {one for one in APPS if one.startswith("shop")}
FILTERS: dict[str, tuple[str, set[str], set[str]]] = {
    "a repository": ("q=ledger", {"billing/ledger"}, {"role/ecr-warden/shadow-pusher", "user/deploy-1"}),
    "a principal": ("q=build-shop", {*SHOP, "base/go"}, {"user/build-shop"}),
    "both": ("q=ledger+deploy-1", {"billing/ledger"}, {"user/deploy-1"}),
    "an account": (f"account={CI}", {*APPS, "base/go"}, {"user/deploy-1", "user/build-shop"}),
    "a team": ("team=deployers", {*APPS, "base/go"}, {"user/deploy-1", "user/deploy-2", "user/auditor"}),
    "a kind of access": ("access=push&q=shop", {*SHOP, "base/go"}, {"user/build-shop"}),
    "not in spec": ("extra=1", {"billing/invoices", "billing/ledger"}, {"role/ecr-warden/shadow-pusher"}),
    "unhealthy": ("unhealthy=1&q=search", {"shop/search"}, {"user/deploy-1"}),
    "expiring": ("expiring=1", {"billing/invoices", "billing/ledger"}, {"user/build-billing"}),
    "nothing": ("q=no-such-thing", set(), set()),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", FILTERS)
def test_a_link_shows_what_its_fragment_says(name: str, open_page: Open) -> None:
    link, repositories, principals = FILTERS[name]
    page = open_page(f"#{link}")
    assert {*names(page)} == repositories
    assert principals <= {*heads(page)}
    if not repositories:
        expect(page.locator("#count")).to_have_text("Nothing fits these filters.")


def test_filters_that_are_chosen_become_the_link_that_shows_them_again(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Repository or principal").fill("billing")
    page.get_by_role("combobox", name="Access").select_option("push")
    page.get_by_role("checkbox", name="not in spec").check()
    assert fragment(page) == "q=billing&access=push&extra=1"
    again = open_page(f"#{fragment(page)}")
    assert (names(again), heads(again)) == (names(page), heads(page))
    expect(again.get_by_role("checkbox", name="not in spec")).to_be_checked()
    page.get_by_role("button", name="Clear").click()
    assert fragment(page) == ""
    assert len(names(page)) > len(names(again))


@pytest.mark.thorough
def test_the_link_of_the_first_card_shows_only_what_the_spec_does_not_give(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("link", name="Show only this access").click()
    assert {*names(page)} == {"billing/invoices", "billing/ledger"}
    expect(page.locator("#matrix .cell:not(.none)")).to_have_count(0)
    page.go_back()
    expect(page.locator("#matrix tbody tr")).to_have_count(ROWS)


def test_a_cell_opens_its_chain_and_the_statements_that_let_in_and_the_back_button_closes_it(open_page: Open) -> None:
    page = open_page("#q=ledger")
    page.get_by_role("button", name=f"anybody in account {OUTSIDER} on billing/ledger").click()
    detail = page.get_by_role("dialog")
    expect(detail).to_contain_text("can push: NOT IN SPEC")
    chain = detail.get_by_label("The chain").first.locator("li")
    assert chain.all_inner_texts() == [f"anybody in account {OUTSIDER}", SHADOW, LEDGER]
    statements = [json.loads(text) for text in detail.locator("pre").all_inner_texts()]
    assert {"AWS": f"arn:aws:iam::{OUTSIDER}:root"} in [one.get("Principal") for one in statements]
    assert "ecr:*" in [one["Action"] for one in statements]
    link = fragment(page)
    page.go_back()
    expect(detail).to_be_hidden()
    assert fragment(page) == "q=ledger"
    page.go_forward()
    expect(detail).to_be_visible()
    expect(open_page(f"#{link}").get_by_role("dialog")).to_contain_text("NOT IN SPEC")


@pytest.mark.thorough
def test_a_cell_of_a_grant_with_an_end_says_when(open_page: Open) -> None:
    page = open_page("#expiring=1")
    page.get_by_role("button", name="build-billing on billing/invoices and 1 more").click()
    expect(page.get_by_role("dialog")).to_contain_text("The grant ends at 2026-12-06")


@pytest.mark.thorough
def test_a_row_says_how_many_have_access_beyond_the_columns_that_are_shown(open_page: Open) -> None:
    page = open_page("#q=ledger")
    expect(page.locator("#matrix tbody th")).to_contain_text("8 principals")


@pytest.mark.thorough
def test_a_repository_opens_its_conditions_and_everybody_with_access(open_page: Open) -> None:
    page = open_page("#q=search")
    page.get_by_role("button", name="shop/search", exact=True).click()
    detail = page.get_by_role("dialog")
    expect(detail).to_contain_text("differs from the spec: differs")
    expect(detail).to_contain_text("user/deploy-1 can pull: the spec gives it")


@pytest.mark.thorough
def test_it_can_be_used_with_the_keyboard_alone(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Repository or principal").focus()
    page.keyboard.type("ledger build-billing")
    assert names(page) == ["billing/ledger"]
    cell = page.locator("#matrix .cell")
    expect(cell).to_have_count(1)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('cell')"):
            break
    expect(cell).to_be_focused()
    page.keyboard.press("Enter")
    detail = page.get_by_role("dialog")
    expect(detail).to_be_visible()
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    expect(cell).to_be_focused()
    page.wait_for_function("!location.hash.includes('open')")


@pytest.mark.thorough
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("link", ["", f"#open={LEDGER}&who={SHADOW}"], ids=["whole", "detail"])
def test_axe_finds_nothing(link: str, dark: bool, open_page: Open) -> None:
    page = open_page(link, dark=dark)
    found: Any = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []


@pytest.mark.thorough
def test_the_matrix_is_a_table_that_says_how_large_the_whole_is(open_page: Open) -> None:
    page = open_page()
    table = page.get_by_role("table").filter(has_text="A cell opens")
    assert table.get_attribute("aria-rowcount") == str(ROWS + 1)
    expect(table.get_by_role("columnheader").first).to_have_text("Repository")
    expect(table.get_by_role("rowheader")).to_have_count(ROWS)
    expect(page.get_by_role("status")).to_contain_text(f"in {len(APPS) + 2} of {len(APPS) + 2} repositories")
    page.get_by_role("group", name="Principals").get_by_role("button", name="Next").click()
    assert int(table.locator("thead th").nth(1).get_attribute("aria-colindex") or 0) > 2


def test_outside_text_stays_text_in_every_field(open_page: Open, written: Callable[[Report], Path]) -> None:
    report = hostile(ATTACK)
    page = open_page(file=written(report))
    row, principal = report.matrix.rows[0], report.matrix.principals[report.matrix.groups[0].runs[0]]
    for who in ("", principal.name):
        page.evaluate("([open, who]) => go({open, who})", [row.target, who])
        expect(page.get_by_role("dialog")).to_contain_text(ATTACK)
    assert page.evaluate("window.attacked") is None
    expect(page.locator("img")).to_have_count(0)
    expect(page.locator("script")).to_have_count(2)
    assert page.locator("body").inner_text().count("onerror=") > 50


@pytest.mark.thorough
def test_a_search_for_markup_stays_text(open_page: Open) -> None:
    page = open_page(f"#q={ATTACK.replace('#', '')}&open=<img>&row=-5&col=NaN")
    assert page.get_by_label("Repository or principal").input_value() == ATTACK
    expect(page.locator("img")).to_have_count(0)


REFUSED = {
    "an inline script": "const it = document.createElement('script'); it.textContent = 'window.ran = 1'; "
    "document.body.append(it)",
    "a handler": "document.body.insertAdjacentHTML('beforeend', '<b onclick=\"window.ran = 1\">x</b>'); "
    "document.body.lastElementChild.click()",
    "an inline style": "document.body.insertAdjacentHTML('beforeend', '<i style=\"color: red\">x</i>')",
    "an image": "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))",
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", REFUSED)
def test_the_policy_of_the_page_refuses(name: str, browser: Any, example_file: Path) -> None:
    page = browser.new_page()
    page.goto(example_file.as_uri())
    page.evaluate(
        "window.refused = []; document.addEventListener('securitypolicyviolation', (it) => refused.push(it.blockedURI))"
    )
    page.evaluate(f"() => {{ {REFUSED[name]} }}")
    page.wait_for_function("refused.length > 0")
    assert page.evaluate("window.ran") is None
    page.close()


@pytest.mark.thorough
def test_it_fits_a_phone(open_page: Open) -> None:
    page = open_page(width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    right = "[...document.querySelectorAll('#matrix thead th')].filter((it) => it.getBoundingClientRect().right <= 390)"
    assert page.evaluate(f"{right}.length") >= 4, "the repositories and more than two principals"
    assert page.evaluate(BROKEN_WORDS) == []
    page.locator(".scroll:has(#matrix)").evaluate("it => it.scrollTop = 300")
    page.locator("#matrix").scroll_into_view_if_needed()
    expect(page.locator("#matrix thead th").first).to_be_in_viewport()
    page.locator("#matrix .cell.none").first.click()
    expect(page.get_by_role("button", name="Close")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_repositories_with_the_same_access_are_one_row_that_names_them(open_page: Open) -> None:
    page = open_page()
    row = page.locator("#matrix tbody tr").filter(has_text="billing/ledger")
    expect(row).to_contain_text("billing/invoices")
    expect(row).to_contain_text("2 repositories, 8 principals")
    row.get_by_role("button", name="billing/ledger", exact=True).click()
    detail = page.get_by_role("dialog")
    expect(detail.locator("p").first).to_have_text(LEDGER)
    expect(detail).to_contain_text("The same holds of billing/invoices.")


@pytest.mark.thorough
def test_each_access_of_a_cell_has_the_colour_of_its_own_ground(
    open_page: Open, written: Callable[[Report], Path]
) -> None:
    given = snapshot()
    statement = {"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": f"arn:aws:iam::{CI}:user/deploy-1"}}
    given["accounts"][REGISTRY]["ecr"]["eu-central-1"]["repositories"][0]["policy"] = {"Statement": [statement]}
    pusher = next(one for one in given["accounts"][CI]["iam"]["UserDetailList"] if one["Arn"].endswith("deploy-1"))
    pusher["UserPolicyList"] = [{"PolicyName": "own", "PolicyDocument": {"Statement": {**statement, "Resource": "*"}}}]
    del pusher["UserPolicyList"][0]["PolicyDocument"]["Statement"]["Principal"]
    page = open_page("#q=checkout+deploy-1", file=written(example(given)))
    ways = page.locator("#matrix .cell .way")
    found = [(one.get_attribute("class"), one.inner_text()) for one in ways.all()]
    assert found == [("way spec", "pull"), ("way none", "! push")]


_SAID = re.compile(r"(?:([\d,]+) principals )?(?:can|can under conditions|may be able to) (pull and push|pull|push): ")


def _accesses_on_paper(page: Page) -> int:
    """By what each section says of how many repositories, of how many principals, and of pull or push or both."""
    number = 0
    for section in page.locator("#printed .set").all():
        repositories = int(section.locator("h3").inner_text().partition(" ")[0].replace(",", ""))
        said = [_SAID.match(text) for text in section.locator("strong").all_inner_texts()]
        number += repositories * sum(
            int((one[1] or "1").replace(",", "")) * len(one[2].split(" and ")) for one in said if one
        )
    return number


@pytest.mark.parametrize("link", ["", "#q=ledger", "#extra=1"], ids=["all", "a repository", "extra"])
def test_paper_has_each_access_once_everybody_and_every_finding_without_controls(link: str, open_page: Open) -> None:
    page = open_page(link)
    last = page.evaluate("short(principals[columnsOf(filtered()).at(-1)].name)")
    assert link or last not in heads(page), "it is beyond the columns that are shown"
    number = int(page.locator("#count").inner_text().partition(" ")[0])
    page.emulate_media(media="print")
    expect(page.locator("form")).to_be_hidden()
    expect(page.locator("#matrix")).to_be_hidden()
    expect(page.locator("#printed")).to_contain_text(last)
    assert _accesses_on_paper(page) == number
    ways = page.get_by_text("remedy: remove statement 1")
    expect(ways.first).to_be_visible()
    page.emulate_media(media="screen")
    expect(page.locator("#printed p")).to_have_count(0)
    expect(ways.first).to_be_hidden()


@pytest.mark.parametrize(
    ("accounts", "repositories", "most"), [(6, 40, 8), pytest.param(60, 400, 29, marks=pytest.mark.thorough)]
)
def test_an_organization_that_may_pull_from_everywhere_is_few_pages(
    accounts: int, repositories: int, most: int, open_page: Open, written: Callable[[Report], Path]
) -> None:
    report = report_of(accounts, 5, repositories)
    assert {len(one.rows) for one in shared(report)} == {repositories, repositories // 2}
    page = open_page(file=written(report))
    assert pages_of(page) <= most
    assert len(to_csv(report)) < 2_000_000


@pytest.mark.thorough
def test_an_account_that_was_half_read_says_so(open_page: Open, written: Callable[[Report], Path]) -> None:
    given = snapshot()
    given["accounts"][CI] = {
        "iam": {},
        "unread": [{"what": "iam:GetAccountAuthorizationDetails", "code": "Throttling"}],
    }
    page = open_page(file=written(example(given)))
    expect(page.locator(".unread")).to_contain_text("Throttling")
    expect(page.get_by_role("heading", name="What could not be read")).to_be_in_viewport()
    expect(page.locator(".answers > div").nth(2)).to_contain_text("access not known")


@pytest.mark.thorough
def test_a_thousand_repositories_and_five_hundred_principals_stay_small(
    open_page: Open, written: Callable[[Report], Path]
) -> None:
    report = large()
    assert len(report.matrix.rows) == 1000
    assert len(report.matrix.principals) >= 490
    assert (report.matrix.left_out, report.matrix.statements_left_out) == (0, 0)
    file = written(report)
    assert file.stat().st_size <= MAX_BYTES
    page = open_page(file=file)
    count = "document.querySelectorAll('*').length"
    assert page.evaluate(count) <= MANY_NODES
    page.get_by_label("Repository or principal").fill("app77")
    expect(page.locator("#count")).to_contain_text("in 11 of 1,000 repositories")
    assert len(names(page)) == 11
    assert page.evaluate(count) <= MANY_NODES
