"""What people and services read of the project: forms, citation, workflows; and that no native test is forgotten."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import neutone_sdk

from .documents import ROOT

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", [form for form in FORMS if form.stem != "config"], ids=lambda form: form.stem)
def test_a_form_is_what_github_takes(form: Path) -> None:
    content = parsed(form)
    assert {"name", "description", "body"} <= content.keys()
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert len(fields) >= 2
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)


def test_there_is_a_form_for_models() -> None:
    fields = {field.get("id") for field in parsed(ROOT / ".github/ISSUE_TEMPLATE/model_submission.yml")["body"]}
    assert {"file", "sha256", "checks", "licence"} <= fields


def test_the_citation_is_of_this_version() -> None:
    citation = parsed(ROOT / "CITATION.cff")
    assert citation["version"] == neutone_sdk.__version__
    assert {"cff-version", "title", "authors", "message", "license"} <= citation.keys()


def test_the_workflow_runs_what_has_to_pass() -> None:
    steps = parsed(ROOT / ".github/workflows/test.yml")["jobs"]["test"]["steps"]
    assert any(".ci/run" in step.get("run", "") for step in steps)


def test_every_native_test_is_built() -> None:
    listed = set(
        re.findall(r"neutone_add_(?:engine_)?test\((\w+)\)", (ROOT / "tests/native/CMakeLists.txt").read_text())
    )
    assert {file.stem for file in (ROOT / "tests" / "native").glob("*_test.cpp")} == listed


def test_the_changelog_keeps_its_form() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.*)$", changelog, re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert all(re.fullmatch(r"\[?\d+\.\d+\.\d+\]? - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    kinds = set(re.findall(r"^### (.*)$", changelog, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
