"""Labeled files in and out, one module a format, streamed. Standard library, and each format's own library."""

from gatewise.formats.cluener import read_cluener, write_cluener
from gatewise.formats.columns import DEFAULT_COLUMNS, check_columns
from gatewise.formats.conll import read_conll, write_conll
from gatewise.formats.conllu import read_conllu, write_conllu
from gatewise.formats.corpus import (
    BINARY_FORMATS,
    OUTPUT_FORMATS,
    SPAN_FORMATS,
    detect_file_scheme,
    locate_sentences,
    read_sentences,
    write_binary,
    write_inline,
    write_sentences,
)
from gatewise.formats.detect import FORMATS, detect_format, format_of_name
from gatewise.formats.doccano import read_doccano, write_doccano
from gatewise.formats.inline import format_brackets, format_inline, format_tags, format_words
from gatewise.formats.jsonl import read_jsonl, write_jsonl, write_n_best
from gatewise.formats.label_studio import read_label_studio, write_label_studio
from gatewise.formats.labeled_text import ON_MISALIGNED, Alignment
from gatewise.formats.plain import read_lines, read_text
from gatewise.formats.prodigy import read_prodigy, write_prodigy

__all__ = [
    "BINARY_FORMATS",
    "DEFAULT_COLUMNS",
    "FORMATS",
    "ON_MISALIGNED",
    "OUTPUT_FORMATS",
    "SPAN_FORMATS",
    "Alignment",
    "check_columns",
    "detect_file_scheme",
    "detect_format",
    "format_brackets",
    "format_inline",
    "format_of_name",
    "format_tags",
    "format_words",
    "locate_sentences",
    "read_cluener",
    "read_conll",
    "read_conllu",
    "read_doccano",
    "read_jsonl",
    "read_label_studio",
    "read_lines",
    "read_prodigy",
    "read_sentences",
    "read_text",
    "write_binary",
    "write_cluener",
    "write_conll",
    "write_conllu",
    "write_doccano",
    "write_inline",
    "write_jsonl",
    "write_label_studio",
    "write_n_best",
    "write_prodigy",
    "write_sentences",
]
