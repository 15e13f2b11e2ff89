"""The tree of exceptions. Every message says where, what was expected, what was found, and what to do.

GatewiseError
├── TextError         a text that cannot be tagged (an unpaired surrogate, the wrong type)
├── FormatError       a labeled file that cannot be read; carries path and line
├── ConstraintError   constraints on tags that cannot be kept, or do not fit the text
├── SchemeError       tags that break their scheme, spans that overlap
├── NetworkError      a hand-written network file with a wrong key, shape or name
├── InteropError      a file of another framework that cannot be imported as what it is
├── ShapeError        arrays whose shapes do not fit the equations
├── ConfigError       a training configuration with an unknown key or a wrong value
├── ModelError        a model folder that is missing, truncated, or not what it says
├── TrainingError     training that cannot start or go on (an empty split, a loss that is not finite)
├── JobError          files to tag that are not there, an output that cannot be written or gone on with
├── ClusterError      a Ray cluster that cannot be reached, or workers that die again and again
└── MissingExtraError a library of an optional extra that is not installed
"""

from __future__ import annotations


class GatewiseError(Exception):
    """Anything a user can mend; the command line prints its message and exits with 2."""


class TextError(GatewiseError):
    """A text that cannot be tagged."""


class FormatError(GatewiseError):
    """A labeled file that cannot be read; the message starts with `path:line:` where a line is known."""


class ConstraintError(GatewiseError):
    """Constraints on tags that contradict each other or the model, or that do not fit the text."""


class SchemeError(GatewiseError):
    """Tags that break their scheme, or spans that overlap."""


class NetworkError(GatewiseError):
    """A hand-written network file with a wrong key, shape or name."""


class InteropError(GatewiseError):
    """A file of another framework that cannot be imported as what it is."""


class ShapeError(GatewiseError):
    """Arrays whose shapes do not fit the equations."""


class ConfigError(GatewiseError):
    """A configuration with an unknown key or a value out of range."""


class ModelError(GatewiseError):
    """A model folder that is missing, truncated, or not what it says."""


class TrainingError(GatewiseError):
    """Training that cannot start or go on."""


class JobError(GatewiseError):
    """A job of tagging files that cannot start, be written, or go on where it was."""


class ClusterError(GatewiseError):
    """A Ray cluster that cannot be reached, or on which a job cannot be finished."""


class MissingExtraError(GatewiseError):
    """A library of an optional extra that is not installed."""
