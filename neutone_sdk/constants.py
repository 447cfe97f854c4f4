"""Limits that hosts and the file format set."""

from typing import Final

MAX_N_PARAMS: Final = 4
MAX_N_CATEGORICAL_VALUES: Final = 20
MAX_N_CATEGORICAL_LABEL_CHARS: Final = 20
MAX_N_AUDIO_SAMPLES: Final = 3

DEFAULT_DAW_SR: Final = 48000
DEFAULT_DAW_BS: Final = 2048
FLAVOURS: Final = ("native", "portable")  # of files: with operators of this package, or without
