"""`stream check`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from stream.cli.options import PackagePlace, config_option, json_option, model_settings, opening_early
from stream.cli.terminal import as_json, print_data, print_line, say

__all__ = ["check"]


@click.command()
@click.argument("package", required=False, type=PackagePlace())
@config_option
@json_option
def check(package: Path | None, config: Path | None, json_out: bool) -> int:
    """
    Check a model package against the schemas and topics of stream.toml.

    PACKAGE is a package's folder, or a URI of MLflow (default: [model] uri). Every finding is printed, with a hint.
    Exit 2 for errors (the worker would refuse to start), 1 for warnings, such as a missing topic, 0
    with information or nothing. A broker that does not answer is information: the topics were not looked at.

    \b
    Example:
      stream check models/flights
    """
    settings = model_settings(config, package)
    opening = opening_early(settings)
    from stream.tasks import check_contract

    findings = check_contract(settings, opening=opening)
    if json_out:
        print_data(as_json([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            print_line(f"{finding.severity:<7} {finding.where}: {finding.message}")
            if finding.hint:
                print_line(f"        try: {finding.hint}")
    worst = {finding.severity for finding in findings}
    if not worst:
        say(f"{package or settings.model.uri}: nothing found")
    return 2 if "error" in worst else 1 if "warning" in worst else 0
