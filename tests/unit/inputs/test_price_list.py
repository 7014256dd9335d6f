"""The public price list: its shape and traps as AWS publishes it; what it does not say stays unknown."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tuner.errors import TargetError
from tuner.inputs.price_list import parse_price_list, price_list_url


def dimension(usd: str, begin: str = "0", end: str = "Inf") -> dict[str, Any]:
    return {
        "rateCode": "X.Y.Z", "description": "AWS Lambda", "beginRange": begin, "endRange": end,
        "unit": "Second", "pricePerUnit": {"USD": usd}, "appliesTo": [],
    }  # fmt: skip


def price_list(**changes: str | None) -> dict[str, Any]:
    """A region's file, reduced to the products that are read, one that is free, and one that is not ours."""
    groups: dict[str, list[dict[str, Any]]] = {
        "AWS-Lambda-Duration": [
            dimension("0.0000150000", "6000000000", "15000000000"),
            dimension("0.0000166667", "0", "6000000000"),
            dimension("0.0000133334", "15000000000"),
        ],
        "AWS-Lambda-Duration-ARM": [dimension("0.0000133334", "0", "7500000000")],
        "AWS-Lambda-Requests": [dimension("0.0000002000")],
        "AWS-Lambda-Storage-Duration": [dimension("0.0000000309")],
        "AWS-Lambda-Provisioned-Concurrency": [dimension("0.0000041667")],
        "AWS-Lambda-Duration-Provisioned": [dimension("0.0000097222")],
        "AWS-Lambda-Edge-Duration": [dimension("0.00005001")],
    }
    for group, usd in changes.items():
        name = group.replace("_", "-")
        if usd is None:
            del groups[name]
        else:
            groups[name] = [dimension(usd)]
    products = {
        f"SKU{number}": {"sku": f"SKU{number}", "productFamily": "Serverless",
                         "attributes": {"servicecode": "AWSLambda", "location": "US East (N. Virginia)",
                                        "locationType": "AWS Region", "group": group, "regionCode": "us-east-1"}}
        for number, group in enumerate(groups)
    }  # fmt: skip
    terms = {
        f"SKU{number}": {f"SKU{number}.JRTCKXETXF": {
            "offerTermCode": "JRTCKXETXF", "priceDimensions": {f"d{n}": d for n, d in enumerate(dimensions)}}}
        for number, dimensions in enumerate(groups.values())
    }  # fmt: skip
    products["FREE"] = {
        "sku": "FREE", "attributes": {"location": "Any", "group": "AWS-Lambda-Requests"}
    }  # fmt: skip
    terms["FREE"] = {"FREE.T": {"priceDimensions": {"d": dimension("0.0000000000")}}}
    products["NOGROUP"] = {"sku": "NOGROUP", "attributes": {"location": "US East (N. Virginia)"}}
    return {
        "formatVersion": "v1.0", "offerCode": "AWSLambda", "version": "20260919000000",
        "publicationDate": "2026-09-19T17:22:31Z", "products": products, "terms": {"OnDemand": terms},
    }  # fmt: skip


def parse(content: object, region: str = "us-east-1") -> Any:
    return parse_price_list(json.dumps(content).encode(), region)


def test_the_first_tier_of_each_group_is_read_exactly() -> None:
    row = parse(price_list())
    assert row.duration_x86 == Decimal("0.0000166667")
    assert row.duration_arm64 == Decimal("0.0000133334")
    assert row.request == Decimal("0.0000002")
    assert row.provisioned_concurrency_x86 == Decimal("0.0000041667")
    assert row.provisioned_duration_x86 == Decimal("0.0000097222")
    assert row.ephemeral_storage_gb_s == Decimal("0.0000000309")
    assert (row.currency, row.as_of, row.source) == ("USD", "2026-09-19", "AWS price list of us-east-1, 2026-09-19")


def test_what_the_region_does_not_sell_is_unknown_and_not_the_other_price() -> None:
    row = parse(price_list(AWS_Lambda_Duration_ARM=None))
    assert row.duration_arm64 is None
    assert row.provisioned_concurrency_arm64 is None


@pytest.mark.parametrize("group", ["AWS_Lambda_Duration", "AWS_Lambda_Requests"])
def test_a_list_without_a_price_that_everybody_pays_is_refused(group: str) -> None:
    with pytest.raises(TargetError, match="it has no"):
        parse(price_list(**{group: None}))


def test_a_price_of_nothing_is_no_price() -> None:
    with pytest.raises(TargetError, match="no duration_x86"):
        parse(price_list(AWS_Lambda_Duration="0.0000000000"))


@pytest.mark.parametrize(
    "content", [{}, [], {"products": {}, "terms": {}}, {"products": {"a": 1}, "terms": {"OnDemand": {}}}]
)
def test_another_form_is_an_error_and_never_a_guess(content: object) -> None:
    with pytest.raises(TargetError, match="cannot be used"):
        parse(content)


def test_text_that_is_no_json_is_an_error() -> None:
    with pytest.raises(TargetError, match="cannot be used"):
        parse_price_list(b"<html>", "us-east-1")


def test_china_has_its_own_site_and_currency() -> None:
    assert "amazonaws.com.cn" in price_list_url("cn-north-1")
    assert price_list_url("eu-central-1").endswith("/AWSLambda/current/eu-central-1/index.json")
    assert parse(price_list(), "cn-north-1").currency == "CNY"
