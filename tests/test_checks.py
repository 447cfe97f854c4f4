"""Every check catches what it is there for, and nothing else."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from neutone_sdk import CircularInplaceTensorQueue
from neutone_sdk.checks import CHECKS, ONLINE_CHECKS, SPEED, Check, Status, Subject, run_checks
from neutone_sdk.checks.check import Budget
from neutone_sdk.checks.report import Outcome, passed, warned
from neutone_sdk.checks.script_state import changed, grown, sizes_bytes, state_of
from neutone_sdk.checks.stability import MEMORY

from .wrappers import PassThrough, card, queue
from .wrappers_failing import FAILING, OTHERS, Case, KeepsEverything, subject_of

DOCS = Path(__file__).parents[1] / "docs" / "export.md"


@pytest.mark.parametrize("case", FAILING)
def test_what_is_wrong_fails_its_check_and_no_other(case: str) -> None:
    make, name, detail = FAILING[case]

    report = run_checks(make(), CHECKS)

    (found,) = report.of(Status.FAILED, Status.WARNED)
    assert found.name == name
    assert re.search(detail, found.detail), found.detail
    assert found.remedy
    assert len(report.results) == len(CHECKS)


@pytest.mark.parametrize("case", OTHERS)
def test_what_else_is_wrong_fails_its_check(case: str) -> None:
    make, name, detail = OTHERS[case]
    (result,) = run_checks(make(), [check for check in CHECKS if check.name == name]).results
    assert result.status is Status.FAILED
    assert re.search(detail, result.detail), result.detail


@pytest.mark.parametrize(
    ("case", "remedy"),
    [(OTHERS["no number on silence"], "divisions by"), (FAILING["a bias"], "a bias that silence turns into DC")],
    ids=["no number", "DC"],
)
def test_the_remedy_of_unclean_output_is_that_of_what_was_found(case: Case, remedy: str) -> None:
    make, name, _ = case
    (result,) = run_checks(make(), [check for check in CHECKS if check.name == name]).results
    others = {"divisions by", "a bias that silence turns into DC"} - {remedy}
    assert remedy in result.remedy
    assert not any(other in result.remedy for other in others)


class Noisy(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x + 0.1 * (torch.rand_like(x) - 0.5)


class DropsOut(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.nn.functional.dropout(x, 0.1)


class DropsOutInTraining(PassThrough):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.nn.functional.dropout(self.model(x), 0.1, training=self.training)


@pytest.mark.parametrize(
    ("wrapper", "status", "detail"),
    [
        (Noisy, Status.PASSED, r"^a second play is the same as the first; with other random numbers .* up to 0\.09"),
        (DropsOut, Status.WARNED, "^with other random numbers the file plays the same audio differently"),
        (DropsOutInTraining, Status.PASSED, "^a second play is the same as the first$"),
    ],
)
def test_random_numbers_are_mentioned_and_dropout_is_a_warning(
    wrapper: type[PassThrough], status: Status, detail: str
) -> None:
    subject = subject_of(wrapper(nn.Dropout(0.5), card=card()))
    (result,) = run_checks(subject, [check for check in CHECKS if check.name == "reset"]).results
    assert result.status is status
    assert re.search(detail, result.detail), result.detail


def test_every_check_can_fail() -> None:
    """Those that have tests of their own are: a file that torch cannot load, and a clock that runs fast."""
    assert {name for _, name, _ in FAILING.values()} | {"scripts", "speed"} == {check.name for check in CHECKS}


def test_a_good_model_passes_all() -> None:
    report = run_checks(subject_of(PassThrough(nn.Identity(), card=card()), is_submission=True), CHECKS)
    assert [(result.name, result.detail) for result in report.results if result.status is not Status.PASSED] == [
        ("parameters", "there are none")
    ]


def test_of_a_file_that_torch_cannot_load_nothing_else_is_said() -> None:
    report = run_checks(Subject(b"PK and nothing more", {}), CHECKS)
    first, *others = report.results
    assert (first.name, first.status) == ("scripts", Status.FAILED)
    assert first.detail.startswith("torch cannot load the file")
    assert {result.status for result in others} == {Status.SKIPPED}


@pytest.mark.parametrize(("is_submission", "status"), [(False, Status.WARNED), (True, Status.FAILED)])
def test_slow_is_a_warning_and_no_submission(
    is_submission: bool, status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(0, 10**12, 20_000_000))
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(ticks))
    subject = subject_of(PassThrough(nn.Identity(), card=card()), is_submission=is_submission)

    (result,) = run_checks(subject, [SPEED]).results

    assert result.status is status
    assert result.detail.startswith("0.533 times real time; a callback takes 20 ms (p50), 20 ms (p99) of 10.7 ms")


def a_check(name: str, run: object, **settings: float) -> Check:
    return Check(name, "because", "do something", run, **settings)  # type: ignore[arg-type]


def explode(_: Subject, __: Budget) -> Outcome:
    raise KeyError("gone")


def test_what_a_check_raises_is_its_result_and_the_next_one_runs() -> None:
    generator_state = torch.get_rng_state()
    good = a_check("good", lambda *_: passed(f"{torch.rand(1).numel()} number"))

    first, second = run_checks(Subject(b"", {}), [a_check("bad", explode), good]).results

    assert (first.status, first.detail, first.remedy) == (
        Status.FAILED,
        "the model fails: KeyError: 'gone'",
        "do something",
    )
    assert (second.status, second.detail, second.remedy) == (Status.PASSED, "1 number", "")
    assert torch.equal(torch.get_rng_state(), generator_state)


def test_an_outcome_may_know_a_better_remedy() -> None:
    (result,) = run_checks(Subject(b"", {}), [a_check("odd", lambda *_: warned("odd", "do this"))]).results
    assert result.to_dict() == {
        "status": "warned",
        "name": "odd",
        "detail": "odd",
        "reason": "because",
        "remedy": "do this",
    }


class Clock:
    """Stands still but where it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_check_that_takes_too_long_ends_and_says_so() -> None:
    clock = Clock()

    def work(_: Subject, budget: Budget) -> Outcome:
        done = []
        for thing in budget.take(range(10), "things"):
            clock.now += 2.0
            done.append(thing)
        return passed(f"did {len(done)}")

    checks = [a_check("slow", work, max_seconds=5.0), a_check("late", work)]
    slow, late = run_checks(Subject(b"", {}), checks, max_seconds=6.0, clock=clock).results

    assert (slow.status, slow.detail) == (
        Status.PASSED,
        "did 3; cut short by the limit of 5 s after 3 of 10 things",
    )
    assert (late.status, late.detail) == (Status.SKIPPED, "the checks before it took all of 6 s")


def test_what_is_worthless_in_part_may_take_longer() -> None:
    clock = Clock()

    def spend(budget: Budget, n_least: int) -> Iterator[int]:
        for item in budget.take(range(100), "things", n_least):
            clock.now += 1.0
            yield item

    assert len(list(spend(Budget(2.0, clock), 6))) == 6
    assert len(list(spend(Budget(2.0, clock), 50))) == 10  # five times the budget, and not more
    assert len(list(spend(Budget(0.0, clock), 1))) == 1


def test_a_slow_model_is_heard_only_as_long_as_there_is_time() -> None:
    clock = Clock()

    subject = subject_of(PassThrough(nn.Identity(), card=card()))
    budget = Budget(0.0, clock)
    played = subject.performance(budget)
    assert played.output.size(1) == played.audio.size(1) == 2048
    assert budget.was_cut == "1 of 16 blocks"


@pytest.mark.parametrize("check", [*CHECKS, *ONLINE_CHECKS], ids=lambda check: check.name)
def test_the_documentation_lists_every_check(check: Check) -> None:
    page = " ".join(DOCS.read_text().split())
    assert " ".join(f"| `{check.name}` | {check.reason} | {check.remedy} |".split()) in page


def test_the_documentation_lists_no_other_check() -> None:
    names = re.findall(r"^\| `([a-z0-9-]+)` \|.*\|.*\|$", DOCS.read_text().partition("## Checks")[2], re.MULTILINE)
    assert names == [check.name for check in (*CHECKS, *ONLINE_CHECKS)]


def test_a_large_model_is_no_leak() -> None:
    """Looking at what it keeps takes several times its memory, which must not count."""
    (result,) = run_checks(subject_of(PassThrough(nn.Linear(3000, 3000), card=card())), [MEMORY]).results
    assert result.status is Status.PASSED
    assert re.fullmatch(r"36\.\d+ MB in the model, \d\.\d MiB more between block 200 and 1000", result.detail)


def test_state_is_named_where_it_is_kept() -> None:
    model = queue(KeepsEverything(), scripted=True, daw_bs=512)
    states = [state_of(model)]
    for _ in range(2):
        model(torch.ones(2, 512))
        states.append(state_of(model))
    assert changed(states[0], states[0]) == []
    assert changed(states[0], states[1]) == ["stream.memory", "w2w_base.past"]  # the stream has begun
    assert grown([sizes_bytes(state) for state in states]) == ["w2w_base.past"]


class Queues(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.queue = CircularInplaceTensorQueue(1, 8)

    def forward(self, x: Tensor) -> Tensor:
        self.queue.push(x)
        return x


def test_state_of_torchscripts_classes_is_seen() -> None:
    model = torch.jit.script(Queues())
    before = state_of(model)
    model(torch.ones(1, 4))
    assert changed(before, state_of(model)) == ["queue.cursors", "queue.samples", "queue.size"]
