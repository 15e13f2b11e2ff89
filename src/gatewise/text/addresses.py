"""URLs and e-mail addresses in running text.

In: a text. Out: where its addresses stand. An address is of ASCII characters, so that Chinese goes on right after it;
punctuation at its end is not part of it, and a closing bracket only when its opening one is. The lengths that RFC 5321
and RFC 1035 allow (64 before the @, 63 a label) also keep the search linear.
"""

from __future__ import annotations

from gatewise.text.late import LatePattern

_STRONG = r"A-Za-z0-9\-_~/#@$&*+=%"  # may end a URL
_INSIDE = rf"[{_STRONG}.,:;!?'|\[\]]"  # may stand in it
_BRACKETS = rf"\({_INSIDE}*+\)"
_URL = rf"(?i:(?:https?|ftps?)://|www\.(?=[a-z0-9]))(?:{_INSIDE}|{_BRACKETS})*(?:[{_STRONG}]|{_BRACKETS})"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_MAIL = rf"(?i:mailto:)?[A-Za-z0-9](?:[A-Za-z0-9._%+\-]{{0,62}}[A-Za-z0-9_%+\-])?@{_LABEL}(?:\.{_LABEL}){{1,8}}"
_CUTS_NOTHING = r"(?![\p{Latin}\p{Nd}\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}])"  # a letter and its marks stay together

_FIND = LatePattern(rf"(?<![\p{{Latin}}\p{{Nd}}\p{{M}}._])(?:{_URL}|{_MAIL}){_CUTS_NOTHING}")


def address_edges(text: str) -> list[tuple[int, int]]:
    """The (start, end) of each URL and e-mail address.

    >>> address_edges("见https://example.com/a?b=1。")
    [(1, 26)]
    """
    if "@" not in text and "://" not in text and "www." not in text and "WWW." not in text:
        return []
    return [found.span() for found in _FIND.compiled.finditer(text)]
