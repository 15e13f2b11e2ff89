"""English words: clitics stand alone, runs of one mark and common abbreviations stay whole.

In: a text without URLs and e-mail addresses. Out: where its tokens stand. The cuts are those of the Penn Treebank as
the English Web Treebank and Universal Dependencies carry them on to text from the web: `do n't`, `we 've`, `can not`,
`Mr.`, `U.S.`, `9:30`, `re-opened` but `long - term`, `!!!`, `:-)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatewise.text.late import LatePattern

_APOSTROPHE = "['\u2019]"
_LETTER = r"(?:\p{L}\p{M}*)"
_END = r"(?![\p{L}\p{M}])"  # no letter goes on
_EMOTICON = rf"[:;=8][-o^]?[)(\]\[DPp/\\|*@3]+(?![\p{{L}}\d])|<3|\^_*\^|[xX]D{_END}"
_INITIALS = r"(?:\p{L}\.){2,}(?!\p{L})|\p{Lu}\.(?=\s+\p{Lu})"
_ABBREVIATION = (
    r"(?:Mr|Mrs|Ms|Messrs|Dr|Prof|Rev|Hon|Gen|Gov|Sen|Rep|Pres|Lt|Col|Sgt|Capt|Jr|Sr|St|Mt|Ft|Ave|Blvd|Rd|vs|Inc|Corp"
    r"|Ltd|Co|Bros|Ph\.D|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec|etc|approx|[Dd]ept|[Ee]st|[Ee]xt|[Ff]ig|al"
    rf"|No(?=\.\s*\d))\.{_END}"
)
_JOINED = r"(?i:can(?=not\b)|(?:gon|wan)(?=na\b)|got(?=ta\b)|(?:lem|gim)(?=me\b))"
_VERB = "(?i:do|wo|ca|did|is|was|does|have|would|could|should|are|were|has|had)"  # before n't without an apostrophe
_NOT = (
    rf"{_LETTER}+?(?=(?i:n{_APOSTROPHE}t){_END})|(?i:n{_APOSTROPHE}t){_END}"
    rf"|{_VERB}(?=(?i:nt){_END})|(?<={_VERB})(?i:nt){_END}"
)
_CLITIC = rf"{_APOSTROPHE}(?i:(?:s|m|d|re|ve|ll|em|til|cause|n){_END}|t(?=(?:is|was){_END}))"
_PREFIXED = (  # prefixes that a hyphen does not part from their word
    r"(?i:anti|arch|ante|auto|bio|co|counter|cross|cyber|de|dis|e|eco|ex|extra|fore|hyper|inter|intra|macro|mega|meta"
    r"|micro|mid|mini|mis|mono|multi|neo|non|over|para|poly|post|pre|pro|proto|pseudo|quasi|re|semi|sub|super|supra"
    rf"|trans|tri|ultra|un|under)-{_LETTER}+"
)
_FILE = r"[\p{L}\d_-]+\.(?i:docx?|xlsx?|pptx?|pdf|txt|com|net|org|html?|zip|jpg|gif)(?!\p{L})"
_TAG = r"[#@]\w+"
_NUMBER = rf"\d+(?:[.,:/-]\d+)+(?:st|nd|rd|th)?(?!\d)|\.\d+|\d+{_LETTER}*"
_WORD = rf"(?:{_LETTER}|\d)+(?:[&/](?=\p{{Lu}}(?!\p{{Ll}}))\p{{L}}+)?|{_LETTER}(?:{_LETTER}|[\d_])*"  # also AT&T, w/o
_RUN = r"[!?]{2,}|\.{2,}|([-*=_~#+$%&\\/<>|^\"])\1+"

_PIECE = LatePattern(
    "|".join(
        f"(?:{rule})"
        for rule in (
            _EMOTICON, _INITIALS, _ABBREVIATION, _JOINED, _NOT, _CLITIC, _PREFIXED, _FILE, _TAG, _NUMBER, _WORD, _RUN,
        )
    )
    + r"|\X"
)  # fmt: skip


def english_pieces(text: str) -> Iterator[tuple[int, int]]:
    """The (start, end) of each token; white space lies between them.

    >>> text = "They've re-opened; it isn't long-term, Mr. Ng :-)"
    >>> [text[start:end] for start, end in english_pieces(text)][:8]
    ['They', "'ve", 're-opened', ';', 'it', 'is', "n't", 'long']
    """
    return (found.span() for found in _PIECE.compiled.finditer(text) if not found.group().isspace())
