"""What an exported model has to prove: to every export the essentials, to a submission and to ``neutone check`` all."""

from typing import Final

from neutone_sdk.checks.check import Check
from neutone_sdk.checks.delay import DELAY
from neutone_sdk.checks.fidelity import OFFLINE, RESET, SAME_AS_MEMORY
from neutone_sdk.checks.hosts import ANY_HOST, BUFFERS, CHANNELS, NATIVE_BLOCKS, PARAMETERS
from neutone_sdk.checks.interface import FLAVOUR, HOST_METHODS, LINKS, RELOADS, SCRIPTS
from neutone_sdk.checks.report import Report, Result, Status
from neutone_sdk.checks.runner import run_checks
from neutone_sdk.checks.speed import SPEED
from neutone_sdk.checks.stability import CLEAN_OUTPUT, MEMORY
from neutone_sdk.checks.subject import Subject

CHECKS: Final = (
    *(SCRIPTS, RELOADS, SAME_AS_MEMORY, HOST_METHODS, FLAVOUR),
    *(NATIVE_BLOCKS, ANY_HOST, CHANNELS, BUFFERS, PARAMETERS),
    *(OFFLINE, RESET, DELAY, CLEAN_OUTPUT, MEMORY, SPEED),
)
ONLINE_CHECKS: Final = (LINKS,)

__all__ = [
    "CHECKS",
    "OFFLINE",
    "ONLINE_CHECKS",
    "SPEED",
    "Check",
    "Report",
    "Result",
    "Status",
    "Subject",
    "run_checks",
]
