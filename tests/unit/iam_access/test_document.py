"""Parsing: documents, and the named errors of everything else."""

import json
from types import MappingProxyType

import pytest

from iam_access.document.document import MAX_STATEMENTS, DocumentError, Effect, parse_document
from iam_access.text.strict_json import MAX_CHARACTERS
from tests.unit.iam_access.tables import Case, cases, name_of

STATEMENT = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}


@pytest.mark.parametrize("case", cases("errors"), ids=name_of)
def test_errors(case: Case) -> None:
    source = case.get("text")
    if source is None:
        source = {"Version": "2012-10-17", "Statement": [case["statement"]]}
    with pytest.raises(DocumentError) as caught:
        parse_document(source)
    assert (caught.value.code, caught.value.place) == (case["code"], case["place"])
    assert caught.value.remedy
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("case", [case for case in cases("errors") if "statement" in case], ids=name_of)
def test_a_mapping_and_its_text_give_the_same_error(case: Case) -> None:
    document = {"Version": "2012-10-17", "Statement": [case["statement"]]}
    with pytest.raises(DocumentError) as of_mapping:
        parse_document(document)
    with pytest.raises(DocumentError) as of_text:
        parse_document(json.dumps(document))
    assert str(of_text.value) == str(of_mapping.value)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"\xff\xfe{}", "document-json"),
        ("[" * 100_000, "document-too-deep"),
        ('{"a":' * 20_000, "document-too-deep"),
        ('{"a":1,"a":' + "[" * 5_000 + "]" * 5_000 + "}", "document-key-repeated"),
        ("9" * 10_000, "document-number"),
        (" " * (MAX_CHARACTERS + 1), "document-too-large"),
        ({"Statement": {**STATEMENT, "Sid": "x" * MAX_CHARACTERS}}, "document-too-large"),
        ({"Statement": [STATEMENT] * (MAX_STATEMENTS + 1)}, "document-too-many-statements"),
        ({"Statement": [STATEMENT] * 10_000}, "document-too-many-statements"),
        ({"Statement": {**STATEMENT, "Resource": {1: 2}}}, "document-type"),
        ({"Statement": {**STATEMENT, "Resource": {"a"}}}, "document-type"),
        ({"Statement": {**STATEMENT, "Condition": {"NumericEquals": {"a": float("nan")}}}}, "document-number"),
        ({"Statement": {**STATEMENT, "Condition": {"NumericEquals": {"a": 1 << 200}}}}, "document-number"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_hostile_input_is_a_named_error(source: str | bytes | dict[str, object], code: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(source)
    assert caught.value.code == code


def test_a_null_is_named_as_json_names_it() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document({"Statement": {**STATEMENT, "Sid": None}})
    assert "null instead of a string" in str(caught.value)


def test_a_mapping_that_contains_itself_is_a_named_error() -> None:
    statement: dict[str, object] = {"Effect": "Allow"}
    statement["Action"] = statement
    with pytest.raises(DocumentError) as caught:
        parse_document({"Statement": statement})
    assert caught.value.code == "document-too-deep"


def test_the_text_is_compact_in_the_order_given() -> None:
    text = '{ "Statement" : { "Action" : "ecr:*", "Resource" : "*", "Effect" : "Allow" } }'
    assert parse_document(text).text == '{"Statement":{"Action":"ecr:*","Resource":"*","Effect":"Allow"}}'


def test_the_text_is_ascii_and_its_effect_is_spelled_as_aws_accepts_it() -> None:
    document = parse_document({"Statement": {**STATEMENT, "Effect": "ALLOW", "Sid": "Größe 🐳"}})
    assert document.text.isascii()
    assert '"Effect":"Allow"' in document.text
    assert parse_document(document.text) == document
    assert document.statements[0].sid == "Größe 🐳"


def test_a_document_does_not_change_with_the_mapping_it_came_from() -> None:
    source = {"Statement": [dict(STATEMENT)]}
    document = parse_document(MappingProxyType(source))
    source["Statement"][0]["Effect"] = "Deny"
    assert document.statements[0].effect is Effect.ALLOW
    assert '"Effect":"Allow"' in document.text


def test_the_version_in_effect_is_2008_where_none_is_written() -> None:
    assert parse_document({"Statement": STATEMENT}).version == "2008-10-17"
    assert parse_document({"Version": "2012-10-17", "Statement": STATEMENT}).version == "2012-10-17"


def test_bytes_are_read_as_utf_8() -> None:
    assert parse_document('{"Id":"é","Statement":{"Effect":"Deny","Action":"*"}}'.encode()).id == "é"


def test_documents_are_hashable_and_equal_by_their_text() -> None:
    assert len({parse_document({"Statement": STATEMENT}), parse_document(json.dumps({"Statement": STATEMENT}))}) == 1
