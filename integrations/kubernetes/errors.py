"""What can go wrong between a cluster and Treadle.

::

    KubernetesError
    ├── UnsayableError       a part of an object that can't be read, or that Treadle can't keep
    ├── SettingsError        the settings can't be what is meant
    └── ApiError             the Kubernetes API refused, or didn't answer
        └── GoneError        the version to watch from is too old: list again
"""


class KubernetesError(Exception):
    """Base of all errors of this package."""


class UnsayableError(KubernetesError):
    """A part of an object can't be read, or can't be kept by Treadle; says which and why."""


class SettingsError(KubernetesError):
    """A setting can't be what is meant."""


class ApiError(KubernetesError):
    """The Kubernetes API refused with `status`, or gave no answer that can be read (0)."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


class GoneError(ApiError):
    """The version to watch from is too old."""
