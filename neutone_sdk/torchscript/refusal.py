"""How the rooms of this package say no."""


class RefusedError(ValueError):
    """An archive is not one that torch writes, or may do harm; the message says where and why.

    Whoever knows the name of the file makes an ``InvalidFileError`` of it.
    """


class DamagedError(RefusedError):
    """The zip archive itself is damaged, or has a form that hides something."""


def refuse_unless(condition: object, reason: str, kind: type[RefusedError] = RefusedError) -> None:
    """Raise an error unless a condition holds."""
    if not condition:
        raise kind(reason)
