"""What all checks found, for people."""

from typing import Final

from rich.table import Table
from rich.text import Text

from neutone_sdk.checks.report import Report, Result, Status

_STYLES: Final = {Status.PASSED: "green", Status.WARNED: "yellow", Status.FAILED: "bold red", Status.SKIPPED: "dim"}


def as_table(report: Report) -> Table:
    """Return a table: name, result, detail, and below what went wrong why that matters and what to do."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("check", style="bold", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("detail", overflow="fold")
    for result in report.results:
        style = _STYLES[result.status]
        table.add_row(Text(result.name), Text(result.status.value, style=style), _detail(result))
    return table


def _detail(result: Result) -> Text:
    detail = Text(result.detail, style="dim" if result.status is Status.SKIPPED else "")
    if result.remedy:
        detail.append(f"\nwhy: {result.reason}\nremedy: {result.remedy}", style="italic")
    return detail
