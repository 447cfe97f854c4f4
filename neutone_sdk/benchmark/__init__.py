"""How fast and how late a model file is, and where its time goes.

    job         what to measure
    timing      times single callbacks, in the process that it is called in
    _worker     the process that has the threads of a job to itself
    workers     starts that process and reads what it says
    speed       what became of every callback, by rate and block size
    realtime    what an audio thread got in time, and whether that is safe
    playing     plays files on such a thread, in the process that it is called in
    percentiles of durations
    latency     by how much the output is late, and the setting with the least delay
    profiling   torch's profiler around callbacks
    layers      what of that belongs to which layer of the model
    tables, reports, plots   all of it, for people, for programs, and as a picture

The commands are ``neutone benchmark`` and, with the names of 1.x, ``python -m neutone_sdk.benchmark``.
"""

from neutone_sdk.benchmark.job import Job
from neutone_sdk.benchmark.latency import Delay, measure_delays
from neutone_sdk.benchmark.profiling import Profile, measure_profile
from neutone_sdk.benchmark.realtime import Run, measure_realtime
from neutone_sdk.benchmark.speed import Timing, measure_speed

__all__ = [
    "Delay",
    "Job",
    "Profile",
    "Run",
    "Timing",
    "measure_delays",
    "measure_profile",
    "measure_realtime",
    "measure_speed",
]
