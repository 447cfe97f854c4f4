"""What the workflow of releases may do, and that it does nothing of a release twice or unchecked."""

import re
from typing import Any

import pytest
import yaml

from .documents import ROOT

WORKFLOW = ROOT / ".github/workflows/release.yml"
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def before(job: str) -> set[str]:
    """Return all jobs that have to succeed before one."""
    needs = JOBS[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(before(one) for one in direct))


def runs(job: str) -> str:
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def test_nothing_is_published_that_was_not_built_and_checked() -> None:
    assert before("publish") == {"sdist", "wheels", "check"}
    assert JOBS["publish"]["if"] == "github.ref_type == 'tag'"
    assert "twine check --strict" in runs("check")
    assert "tests/wheel" in runs("check")


def test_a_job_may_do_what_it_has_to_and_no_more() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    granted = {name: job["permissions"] for name, job in JOBS.items()}
    assert granted.pop("publish") == {"id-token": "write"}
    assert all(permissions == {"contents": "read"} for permissions in granted.values())
    assert "secrets." not in WORKFLOW.read_text(encoding="utf-8")  # PyPI trusts the workflow, not a password


@pytest.mark.parametrize("job", JOBS)
def test_actions_are_pinned_and_jobs_end(job: str) -> None:
    used = [step["uses"] for step in JOBS[job]["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)
    assert 0 < JOBS[job]["timeout-minutes"] <= 120


def test_actions_say_which_version_they_are() -> None:
    lines = [line for line in WORKFLOW.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert all(re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line) for line in lines)


@pytest.mark.parametrize("tool", ["auditwheel", "cibuildwheel", "twine"])
def test_a_tool_is_the_same_version_here_and_there(tool: str) -> None:
    (here,) = re.findall(rf'"{tool}==([\d.]+)"', PYPROJECT)
    there = set(re.findall(rf"\b{tool}==([\d.]+)", WORKFLOW.read_text(encoding="utf-8")))
    assert there == {here}


def test_the_same_libraries_stay_out_of_wheels_here_and_there() -> None:
    excluded = [set(re.findall(r"--exclude '(lib[^']+)'", text)) for text in (MAKEFILE, PYPROJECT)]
    assert excluded[0] == excluded[1]
    assert "libtorch*.so*" in excluded[0]


def test_the_page_says_which_platforms_there_are() -> None:
    page = (ROOT / "docs/releasing.md").read_text(encoding="utf-8")
    for runner in JOBS["wheels"]["strategy"]["matrix"]["os"]:
        assert f"`{runner}`" in page
