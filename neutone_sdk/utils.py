"""The 1.x home of names that live elsewhere now."""

from neutone_sdk.export import load_neutone_model, model_to_torchscript, save_neutone_model
from neutone_sdk.validation import validate_waveform

__all__ = ["load_neutone_model", "model_to_torchscript", "save_neutone_model", "validate_waveform"]
