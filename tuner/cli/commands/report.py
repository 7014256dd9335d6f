"""``tuner report`` and ``tuner compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli.options import (
    Charts,
    EndpointUrl,
    Expires,
    Export,
    Files,
    Include,
    Profile,
    Publish,
    Region,
    Shown,
    Source,
)

if TYPE_CHECKING:
    from tuner.cli.report import Publication


def report(
    source: Source,
    out: Files = None,
    charts: Charts = None,
    include: Include = None,
    output: Shown = None,
    export: Export = None,
    publish: Publish = None,
    expires: Expires = "7d",
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Turn a report into a page, Markdown, charts or a link; read results of AWS Lambda Power Tuning.

    Examples:

      tuner report reports/demo.json -o demo.html

      tuner report 'https://lambda-power-tuning.show/#...' -o again.html

      tuner report reports/demo.json --publish s3://my-bucket/reports --expires 12h
    """
    from tuner.cli.report import ReportOptions, report_command

    raise typer.Exit(
        report_command(
            ReportOptions(
                source=source,
                files=tuple(out or ()),
                charts=charts,
                include=frozenset(include or ()),
                output=output.value if output else None,
                export_power_tuning=export is not None,
                publication=_publication(publish, expires, region, profile, endpoint_url),
            )
        )
    )


def compare(
    sources: Annotated[list[str], typer.Argument(help="Two or more report.json; the first is the base.")],
    out: Files = None,
    charts: Charts = None,
    include: Include = None,
    publish: Publish = None,
    expires: Expires = "7d",
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Put reports beside each other: what differs, by how much, and what cannot be compared.

    Example:

      tuner compare before.json after.json -o compare.html
    """
    from tuner.cli.compare import CompareOptions, compare_command

    raise typer.Exit(
        compare_command(
            CompareOptions(
                sources=tuple(sources),
                files=tuple(out or ()),
                charts=charts,
                include=frozenset(include or ()),
                publication=_publication(publish, expires, region, profile, endpoint_url),
            )
        )
    )


def _publication(
    publish: str | None, expires: str, region: str | None, profile: str | None, endpoint_url: str | None
) -> Publication | None:
    if publish is None:
        return None
    from tuner.cli.report import Publication

    return Publication(
        destination=publish, expires=expires, region=region, profile=profile, endpoint_url=endpoint_url
    )
