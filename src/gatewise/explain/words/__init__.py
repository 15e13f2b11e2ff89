"""All words and sentences of the explainer, in English and Chinese; the Chinese terms are the article's.

In: a language, "en" or "zh". Out: `Terms`, the names of things, `NetworkWords`, the sentences about hand-written
networks, and `TraceWords`, those about trained models.
"""

from typing import Literal

from gatewise.explain.words.network import EN as NETWORK_EN
from gatewise.explain.words.network import ZH as NETWORK_ZH
from gatewise.explain.words.network import NetworkWords
from gatewise.explain.words.terms import EN as TERMS_EN
from gatewise.explain.words.terms import ZH as TERMS_ZH
from gatewise.explain.words.terms import Terms
from gatewise.explain.words.trace import EN as TRACE_EN
from gatewise.explain.words.trace import ZH as TRACE_ZH
from gatewise.explain.words.trace import TraceWords

Language = Literal["en", "zh"]

__all__ = ["Language", "NetworkWords", "Terms", "TraceWords", "network_words", "terms", "trace_words"]


def terms(lang: Language) -> Terms:
    """The names of gates, states and directions."""
    return TERMS_ZH if lang == "zh" else TERMS_EN


def network_words(lang: Language) -> NetworkWords:
    """The sentences about a hand-written network."""
    return NETWORK_ZH if lang == "zh" else NETWORK_EN


def trace_words(lang: Language) -> TraceWords:
    """The sentences about a trained model's trace."""
    return TRACE_ZH if lang == "zh" else TRACE_EN
