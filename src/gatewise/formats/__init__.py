"""Labeled files in and out, one module a format, streamed. Standard library, and `conllu` for its own format."""

from gatewise.formats.conll import DEFAULT_COLUMNS, check_columns, read_conll, write_conll
from gatewise.formats.conllu import read_conllu, write_conllu
from gatewise.formats.corpus import (
    OUTPUT_FORMATS,
    detect_file_scheme,
    read_sentences,
    write_inline,
    write_sentences,
)
from gatewise.formats.detect import FORMATS, detect_format, format_of_name
from gatewise.formats.inline import format_brackets, format_inline, format_tags, format_words
from gatewise.formats.jsonl import read_jsonl, write_jsonl
from gatewise.formats.plain import read_lines

__all__ = [
    "DEFAULT_COLUMNS",
    "FORMATS",
    "OUTPUT_FORMATS",
    "check_columns",
    "detect_file_scheme",
    "detect_format",
    "format_brackets",
    "format_inline",
    "format_of_name",
    "format_tags",
    "format_words",
    "read_conll",
    "read_conllu",
    "read_jsonl",
    "read_lines",
    "read_sentences",
    "write_conll",
    "write_conllu",
    "write_inline",
    "write_jsonl",
    "write_sentences",
]
