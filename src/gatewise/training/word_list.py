"""A list of words: one a line, whatever follows after white space (counts, tags, numbers) left out; gzipped or not.

In: a path. Out: the lookup keys of its words (`text.vocabulary.normalize`), each once, in the order of the file.
jieba's and THUOCL's lists are such files, and so are pretrained vectors as text.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

from gatewise.errors import FormatError
from gatewise.model.lexicon import MOST_WORDS
from gatewise.text.vocabulary import normalize
from gatewise.training.vector_files import GZIP_MAGIC


def read_word_list(path: str | Path, longest: int, key_of: Callable[[str], str] = normalize) -> list[str]:
    """The words of at most `longest` characters.

    Raises FormatError for a file that cannot be read, is no text in UTF-8, or has too many words or none.
    """
    words: dict[str, None] = {}
    number = 0
    try:
        with Path(path).open("rb") as raw:
            zipped = raw.peek(2)[:2] == GZIP_MAGIC
            stream = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if zipped else raw
            for number, line in enumerate(stream, start=1):
                if fields := line.decode("utf-8-sig" if number == 1 else "utf-8").split(None, 1):
                    word = key_of(fields[0])
                    if len(word) <= longest:
                        words[word] = None
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}:{number}: expected a word list in UTF-8, found {error}; convert the file") from error
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"{path}: expected a word list, found that it cannot be read ({reason})") from error
    if not words:
        raise FormatError(f"{path}: expected words of at most {longest} characters, one a line, found none")
    if len(words) > MOST_WORDS:
        raise FormatError(
            f"{path}: expected at most {MOST_WORDS:,} words, found {len(words):,}; leave out the rare ones, or lower "
            "features.lexicon_longest"
        )
    return list(words)
