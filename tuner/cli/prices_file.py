"""The prices that runs count with: those that `tuner prices update` has read win over the table of the package."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner import codec
from tuner.cli.inputs import Allowance
from tuner.cli.state import state_folder, writable_state_folder
from tuner.errors import TargetError, UsageError
from tuner.inputs.files import UnreadableFileError, read_bounded
from tuner.inputs.plausible import check_plausible
from tuner.model import Architecture, FunctionSnapshot, Price
from tuner.pricing import RegionPrices, price_for

LARGEST_BYTES = 8 * 1024 * 1024
"""All regions of AWS take less than a tenth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Updated:
    regions: dict[str, RegionPrices]


def prices_file() -> Path:
    return state_folder() / "prices.json"


def updated_prices() -> Mapping[str, RegionPrices]:
    """The rows by region; none where nothing was ever updated. TargetError for a file that cannot be used."""
    path = prices_file()
    return read_prices_file(path) if os.access(path, os.R_OK) else {}


def read_prices_file(path: Path) -> Mapping[str, RegionPrices]:
    """TargetError where the file cannot be read, or holds something else than prices."""
    try:
        regions = codec.decode(read_bounded(path, limit_bytes=LARGEST_BYTES), _Updated).regions
        check_plausible(regions, "The file")
    except (UnreadableFileError, UsageError) as error:
        raise TargetError(
            f"The prices in {path} cannot be used: {error}",
            hint="Remove the file, then type `tuner prices update` again.",
        ) from error
    return regions


def prices_of(
    function: FunctionSnapshot, architectures: Sequence[Architecture], allowance: Allowance
) -> dict[Architecture, Price]:
    """What counts for ``function``: the user's own prices, those that were updated, those of the package."""
    updated = updated_prices()
    return {
        architecture: price_for(
            function.region,
            architecture,
            usd_per_gb_s=allowance.usd_per_gb_s,
            usd_per_request=allowance.usd_per_request,
            updated=updated,
        )
        for architecture in architectures
    }


def keep_prices(rows: Mapping[str, RegionPrices]) -> Path:
    """Add or replace rows; the file is replaced as a whole."""
    folder = writable_state_folder()
    kept = _Updated(regions={**updated_prices(), **rows})
    descriptor, made = tempfile.mkstemp(dir=folder, prefix=".prices-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(codec.encode_pretty(kept))
    Path(made).replace(prices_file())
    return prices_file()
