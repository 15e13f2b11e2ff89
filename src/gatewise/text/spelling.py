"""What the spelling of a form says beside its lookup key: its characters with their case, its shape, its affixes.

In: a form. Out: keys for lookup. What a stored model was trained on must come out the same for ever, so the limits here
are part of the model format.
"""

from __future__ import annotations

import unicodedata

from gatewise.text.vocabulary import normalize

LONGEST_SPELLING = 40  # characters
LONGEST_RUN = 4  # of one sign in a shape
NO_AFFIX = ""  # of a form that is shorter than the affix

_SIGNS = {"Lu": "X", "Lt": "X", "Ll": "x", "Lo": "c", "Lm": "c", "Nd": "d"}


def spelling(form: str) -> str:
    """The characters that a network of characters reads: NFKC, case and digits kept.

    Of a form with more than 40 characters the first 20 and the last 20 are read.

    >>> spelling("Ｉｐｈｏｎｅ15")
    'Iphone15'
    """
    characters = unicodedata.normalize("NFKC", form)
    if len(characters) <= LONGEST_SPELLING:
        return characters
    half = LONGEST_SPELLING // 2
    return characters[:half] + characters[-half:]


def word_shape(form: str) -> str:
    """The shape of a form, after NFKC: X for a capital letter, x for a small one, c for a letter without case (Han,
    kana, Arabic, …), d for a decimal digit; marks are left out, all else stands for itself. A run of one sign is cut
    to 4.

    >>> [word_shape(form) for form in ("EU", "rejects", "McDonald's", "1996-08-22", "北京", "...")]
    ['XX', 'xxxx', "XxXxxxx'x", 'dddd-dd-dd', 'cc', '...']
    """
    shape: list[str] = []
    for character in unicodedata.normalize("NFKC", form):
        category = unicodedata.category(character)
        sign = _SIGNS.get(category, "" if category.startswith("M") else character)
        if sign and shape[-LONGEST_RUN:] != [sign] * LONGEST_RUN:
            shape.append(sign)
    return "".join(shape)


def prefixes(form: str, longest: int) -> list[str]:
    """The first 1 to `longest` characters of a form's lookup key; the empty string where it is shorter.

    >>> prefixes("Old", 4)
    ['o', 'ol', 'old', '']
    """
    key = normalize(form)
    return [key[:length] if length <= len(key) else NO_AFFIX for length in range(1, longest + 1)]


def suffixes(form: str, longest: int) -> list[str]:
    """The last 1 to `longest` characters of a form's lookup key; the empty string where it is shorter.

    >>> suffixes("Running", 3)
    ['g', 'ng', 'ing']
    """
    key = normalize(form)
    return [key[-length:] if length <= len(key) else NO_AFFIX for length in range(1, longest + 1)]
