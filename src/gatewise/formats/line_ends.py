"""What of a text file's bytes no sentence carries: a byte order mark, and line ends that are CR LF.

In: a path. Out: a notice for each of the two. They are told by whoever writes the sentences out again, for every
format of text is written with LF and without a mark.
"""

from __future__ import annotations

import zlib

from gatewise.errors import FormatError
from gatewise.formats.source import BYTE_ORDER_MARK, CHUNK, Notify, Source, opened, reading_failed, source_name


def say_line_ends(path: Source, notify: Notify) -> None:
    """Tell of a byte order mark and of CR LF in this file; it is read once, as far as the first CR LF.

    Raises FormatError for a file that cannot be read.
    """
    try:
        with opened(path) as stream:
            chunk = stream.read(CHUNK)
            if chunk.startswith(BYTE_ORDER_MARK):
                notify(f"{source_name(path)}: a byte order mark at the beginning, left out")
            before = b""  # the byte before the chunk, for a CR LF may be cut in two
            while chunk:
                if b"\r\n" in before + chunk:
                    notify(f"{source_name(path)}: lines that end in CR LF, read as LF")
                    return
                before, chunk = chunk[-1:], stream.read(CHUNK)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(reading_failed(path, error)) from error
