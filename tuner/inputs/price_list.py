"""AWS's public price list of Lambda, one region a file: read into a row of our own table.

Format: AWS Billing user guide, "Reading the service price list file". Its traps: the tiers of a duration price stand
under one SKU and the first is the one from 0; free-tier SKUs stand beside the priced ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tuner.errors import TargetError
from tuner.pricing import RegionPrices

URL = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AWSLambda/current/{region}/index.json"
CHINA_URL = "https://pricing.cn-north-1.amazonaws.com.cn/offers/v1.0/cn/AWSLambda/current/{region}/index.json"

_COLUMNS = {
    "duration_x86": "AWS-Lambda-Duration",
    "duration_arm64": "AWS-Lambda-Duration-ARM",
    "request": "AWS-Lambda-Requests",
    "ephemeral_storage_gb_s": "AWS-Lambda-Storage-Duration",
    "provisioned_concurrency_x86": "AWS-Lambda-Provisioned-Concurrency",
    "provisioned_concurrency_arm64": "AWS-Lambda-Provisioned-Concurrency-ARM",
    "provisioned_duration_x86": "AWS-Lambda-Duration-Provisioned",
    "provisioned_duration_arm64": "AWS-Lambda-Duration-Provisioned-ARM",
}
_LARGEST = Decimal(10**6)
_SMALLEST_EXPONENT = -30
_NEEDED = ("duration_x86", "request")


def price_list_url(region: str) -> str:
    """Where the file of a region is; it needs no credentials."""
    return (CHINA_URL if region.startswith("cn-") else URL).format(region=region)


def parse_price_list(data: bytes, region: str) -> RegionPrices:
    """The region's row. TargetError where the file is not one of Lambda's or lacks the prices that everybody pays.

    What the file does not have is None: never the price of another region.
    """
    try:
        document = json.loads(data, parse_float=_bounded)
        prices = dict(_prices(document))
        published = str(document["publicationDate"])[:10]
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise _unusable(region, f"it has another form than expected ({error})") from error
    found = {column: prices.get(group) for column, group in _COLUMNS.items()}
    missing = [column for column in _NEEDED if found[column] is None]
    if missing:
        raise _unusable(region, f"it has no {' and no '.join(missing)}")
    currency = "CNY" if region.startswith("cn-") else "USD"
    return RegionPrices(
        **found, currency=currency, as_of=published, source=f"AWS price list of {region}, {published}"
    )


def _prices(document: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    """The first-tier price of each group."""
    terms = document["terms"]["OnDemand"]
    for sku, product in document["products"].items():
        attributes = product["attributes"]
        group = attributes.get("group")
        if group is None or attributes.get("location") == "Any" or sku not in terms:
            continue
        for term in terms[sku].values():
            for dimension in term["priceDimensions"].values():
                price = _first_tier(dimension)
                if price:
                    yield group, price


def _first_tier(dimension: Mapping[str, Any]) -> Decimal | None:
    """None for a further tier, and for a free one."""
    if dimension.get("beginRange") != "0":
        return None
    given = dimension["pricePerUnit"]
    value = _bounded(str(given.get("USD") or given.get("CNY") or 0))
    return value.normalize() if value else None


def _bounded(text: str) -> Decimal:
    """A price that can be one: written out, 1E+999999999 would fill the memory."""
    value = Decimal(text)
    if not value.is_finite() or not 0 <= value < _LARGEST or value.adjusted() < _SMALLEST_EXPONENT:
        raise ValueError(f"{text[:40]} is not a price")
    return value


def _unusable(region: str, why: str) -> TargetError:
    return TargetError(
        f"The price list of {region} cannot be used: {why}.",
        hint="The prices of before stay. Is the region's name right? Give your own price with --price-per-gb-s.",
    )
