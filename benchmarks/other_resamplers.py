"""What other people's resamplers do to audio, 44.1 to 48 kHz: python -m benchmarks.other_resamplers [--json FILE].

The same figures as ``benchmarks/resampling_quality.py`` has of ours. Needs the native benchmarks built.
"""

import subprocess
from functools import partial

import numpy as np

from benchmarks.native import BUILD
from benchmarks.resampling_quality import AMPLITUDE, quality_row, row_text
from benchmarks.rounds import Results, run
from tests.signals import center_of, pulse, sine

FROM_HZ, TO_HZ = 44_100, 48_000
PROGRAM = BUILD / "benchmarks" / "native" / "resample_file"
N_FRAMES = 96 * 512  # whole blocks of the program
EDGE = 6_000  # frames of output: what begins or ends there is not the tone alone


def resampled(library: str, samples: np.ndarray) -> np.ndarray:
    """Return what a library makes of a signal, as far as it has come when that ends."""
    command = [str(PROGRAM), library, str(FROM_HZ), str(TO_HZ)]
    result = subprocess.run(command, check=True, input=samples.astype(np.float32).tobytes(), stdout=subprocess.PIPE)  # noqa: S603
    return np.frombuffer(result.stdout, np.float32).astype(np.float64)


def tone(library: str, frequency_hz: float) -> np.ndarray:
    """Return a resampled tone without its ends."""
    return resampled(library, sine(frequency_hz, FROM_HZ, N_FRAMES, AMPLITUDE)[0].numpy())[EDGE:-EDGE]


def latency_frames(library: str) -> float:
    """Return by how many frames of output a pulse comes late, those included that the library still holds."""
    at = N_FRAMES // 2
    out = resampled(library, pulse(at, N_FRAMES, 0.1)[0].numpy())
    per_frame = TO_HZ / FROM_HZ
    return center_of(out) - at * per_frame + N_FRAMES * per_frame - len(out)


def measure(is_quick: bool) -> Results:  # noqa: ARG001  # seconds as it is
    """Print a table, and return it."""
    libraries = subprocess.run([str(PROGRAM)], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()  # noqa: S603
    figures = {}
    for library in libraries:
        figures[library] = quality_row(partial(tone, library), TO_HZ, latency_frames(library))
        print(row_text(library, figures[library]))
    return Results(figures={"other resamplers": figures})


if __name__ == "__main__":
    run(__doc__, measure)
