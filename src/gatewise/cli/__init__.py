"""The command line: one thin file a command, each loaded only when it is named.

Results go to stdout, all else to stderr. Whatever a user can mend ends in one sentence and exit code 2.
"""

from gatewise.cli.main import main

__all__ = ["main"]
