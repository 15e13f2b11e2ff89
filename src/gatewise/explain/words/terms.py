"""The names of things: gates, states, directions, how far a gate is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`linear` and `linear_short` are keyed f, i, g, o and h; `activation` by the names of `gatewise.lstm`."""

    linear: Mapping[str, str]
    linear_short: Mapping[str, str]
    memory: str
    output: str
    step: str
    token: str
    unit: str
    tag: str
    forward: str
    reverse: str
    reverse_reading: str
    activation: Mapping[str, str]
    function: Mapping[str, str]
    open: str
    closed: str
    half_open: str
    partly_open: str


EN = Terms(
    linear=MappingProxyType(
        {"f": "forget gate f", "i": "input gate i", "g": "candidate g", "o": "output gate o", "h": "output h"}
    ),
    linear_short=MappingProxyType(
        {"f": "forget f", "i": "input i", "g": "candidate g", "o": "output o", "h": "output h"}
    ),
    memory="memory cell C",
    output="output h",
    step="step",
    token="token",
    unit="unit",
    tag="tag",
    forward="forward",
    reverse="reverse",
    reverse_reading="reverse (reads from the last token to the first)",
    activation=MappingProxyType({"sigmoid": "sigmoid σ", "step": "step", "tanh": "tanh", "identity": "identity"}),
    function=MappingProxyType({"sigmoid": "σ", "step": "step", "tanh": "tanh"}),
    open="open",
    closed="closed",
    half_open="half open",
    partly_open="{percent}% open",
)

ZH = Terms(
    linear=MappingProxyType({"f": "遗忘门 f", "i": "输入门 i", "g": "候选值 g", "o": "输出门 o", "h": "输出 h"}),
    linear_short=MappingProxyType({"f": "遗忘门 f", "i": "输入门 i", "g": "候选值 g", "o": "输出门 o", "h": "输出 h"}),
    memory="记忆单元 C",
    output="输出 h",
    step="步",
    token="词元",
    unit="单元",
    tag="标签",
    forward="正向",
    reverse="反向",
    reverse_reading="反向（从最后一个词元读到第一个词元）",
    activation=MappingProxyType({"sigmoid": "σ", "step": "阶跃", "tanh": "tanh", "identity": "恒等"}),
    function=MappingProxyType({"sigmoid": "σ", "step": "阶跃", "tanh": "tanh"}),
    open="打开",
    closed="关闭",
    half_open="半开",
    partly_open="打开 {percent}%",
)
