"""Everything that this package raises on purpose.

    NeutoneError
    +-- InvalidArgumentError (ValueError)   a value outside what is allowed
    |   +-- InvalidParameterError           in the definition of a parameter
    |   +-- InvalidAudioError               in audio or parameter values given to a model
    |   +-- InvalidFileError                a file that is not what it should be
    |   +-- NotStreamingError               a layer that cannot be played as a stream, or does not say how late it is
    +-- InvalidTypeError (TypeError)        a value of the wrong type or dtype
    +-- ModelOutputError (ValueError)       what a wrapped model returned
    +-- ScriptingError (RuntimeError)       TorchScript cannot convert a method
    +-- ExportError (RuntimeError)          a model that cannot be exported or saved
    +-- BundleError (RuntimeError)          a plugin that cannot be made of a model
    +-- OperatorLibraryError (ImportError)  the native operators cannot be loaded

A scripted model cannot raise these: there TorchScript raises ``torch.jit.Error`` with the same message.
"""

from collections.abc import Sequence


class NeutoneError(Exception):
    """Base of all errors of this package."""


class InvalidArgumentError(NeutoneError, ValueError):
    """An argument has a value outside what is allowed."""


class InvalidParameterError(InvalidArgumentError):
    """A model's parameter is not well defined."""


class InvalidAudioError(InvalidArgumentError):
    """Audio, or the parameter values beside it, has the wrong shape."""


class InvalidFileError(InvalidArgumentError):
    """A file is missing, damaged, or of another kind than it should be."""


class NotStreamingError(InvalidArgumentError):
    """A layer cannot be played as a stream, or does not say how late its stream is."""


class InvalidTypeError(NeutoneError, TypeError):
    """An argument has the wrong type, or a tensor the wrong dtype."""


class ModelOutputError(NeutoneError, ValueError):
    """A wrapped model returned something other than audio of the shape it has to return."""


class ScriptingError(NeutoneError, RuntimeError):
    """TorchScript cannot convert one of the model's methods."""


class ExportError(NeutoneError, RuntimeError):
    """A model cannot be exported, or what was exported does not behave like the model in memory."""


class BundleError(NeutoneError, RuntimeError):
    """A plugin cannot be made of a model here, or cannot be written."""


class OperatorLibraryError(NeutoneError, ImportError):
    """The library of native operators is missing, or does not fit the installed torch."""


def raise_all(errors: Sequence[NeutoneError]) -> None:
    """Raise what is wrong as one error whose message has a line for each; nothing if nothing is wrong.

    It is of the kind of the first wrong type, if there is one, else of that of the first error.
    """
    if len(errors) == 1:
        raise errors[0]
    if errors:
        first = next((error for error in errors if isinstance(error, InvalidTypeError)), errors[0])
        raise type(first)("\n".join(map(str, errors)))
