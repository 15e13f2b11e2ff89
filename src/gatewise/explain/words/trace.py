"""The sentences about a trained model's trace; names in braces are filled in from the trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceWords:
    """Headings, column heads and notes."""

    # the head
    model: str
    size: str
    head: str
    main_head: str
    probability: str
    agrees: str
    differs: str
    empty: str
    # what x is made of
    inputs: str
    inputs_note: str
    inputs_unknown: str
    inputs_sizes: str
    token_key: str
    size_joint: str
    part_names: Mapping[str, str]
    # the tables
    overview: str
    overview_note: str
    rival: str
    chance: str
    rnn_note: str
    memory: str
    memory_note: str
    holds: str
    nothing_held: str
    units: str
    units_note: str
    units_note_rnn: str
    residual_note: str
    carried: str
    contribution_residual: str
    spans: str
    lead: str
    trail: str
    weight: str
    contribution: str
    share_joint: str


EN = TraceWords(
    model="Model {model}: {kind}, scheme {scheme}, {tags} tags",
    size="{layers} of {units} units in each direction",
    head="Head: {head}. The layers are shared with: {others}",
    main_head="main",
    probability="The number behind a tag is its true probability: the share of all legal tag sequences, by weight.",
    agrees="Recomputed in float64 by the equations; the runtime's own graph chose the same tags.",
    differs="The runtime's own graph chose other tags than the equations in float64 do here: {fast}",
    empty="The text holds no token: there is nothing to compute.",
    inputs="What the first layer reads",
    inputs_note="A token becomes x, {size} numbers: the vectors of its features side by side ({parts}). The table has "
    "the key that each vector was looked up by.",
    inputs_unknown="A key with ? is not known from training: the vector of the unknown is read in its place.",
    inputs_sizes="{name} {size}",
    token_key="key",
    size_joint=", ",
    part_names=MappingProxyType(
        {
            "token": "token",
            "bigram_before": "bigram before",
            "bigram_after": "bigram after",
            "lm_forward": "language model forward",
            "lm_reverse": "language model reverse",
            "characters": "characters",
            "shape": "shape",
            "prefix": "prefixes",
            "suffix": "suffixes",
            "lexicon_B": "B words",
            "lexicon_M": "M words",
            "lexicon_E": "E words",
            "lexicon_S": "S words",
        }
    ),
    overview="Tags, and how open the gates are",
    overview_note="→ reads forward, ← reads in reverse. i, f, o: the mean of a direction's input, forget and output "
    "gates over its {units} units, 0 closed, 1 open.",
    rival="rival",
    chance="p",
    rnn_note="An RNN has no gates, and so no memory ledger.",
    memory="What the memory holds",
    memory_note="The cell state is an exact sum over the tokens read so far; these are the largest shares of it, "
    "over all units.",
    holds="{direction} holds",
    nothing_held="nothing",
    units="Units that matter most for the tag",
    units_note="A tag's lead over its rival is the sum of w·h over all units, plus a bias; w is the unit's weight for "
    "the tag minus that for the rival. Each row: h = o·tanh(c).",
    units_note_rnn="A tag's lead over its rival is the sum of w·h over all units, plus a bias; w is the unit's weight "
    "for the tag minus that for the rival.",
    residual_note=" The layers are residual: to h is added b, what the layer below hands to the unit's place, so its "
    "part is w·(h+b).",
    carried="b",
    contribution_residual="w·(h+b)",
    spans="Spans, with the probability that exactly this one is there: {spans}",
    lead="{number} {token}  {tag} leads {rival} by {lead}",
    trail="{number} {token}  {tag} trails {rival} by {lead}; the transitions to the tags around it decide",
    weight="w",
    contribution="w·h",
    share_joint="  ",
)

ZH = TraceWords(
    model="模型 {model}：{kind}，标注方案 {scheme}，{tags} 个标签",
    size="{layers}，每个方向 {units} 个单元",
    head="输出头：{head}。共用这些层的还有：{others}",
    main_head="主输出头",
    probability="标签后面的数是它真正的概率：在所有合法标签序列中所占的权重。",
    agrees="以上按公式用 float64 重新计算；运行时的计算图选出的标签与此相同。",
    differs="运行时的计算图在这里选出的标签与 float64 公式不同：{fast}",
    empty="文本里没有词元，没有可计算的内容。",
    inputs="第一层读到什么",
    inputs_note="每个词元变成 x，共 {size} 个数：各项特征的向量依次相接（{parts}）。表中是查每个向量所用的键。",
    inputs_unknown="带 ? 的键在训练中没有见过（或见得太少），读的是“未知”的向量。",
    inputs_sizes="{name} {size}",
    token_key="键",
    size_joint="、",
    part_names=MappingProxyType(
        {
            "token": "词元",
            "bigram_before": "前二元组",
            "bigram_after": "后二元组",
            "lexicon_B": "词首",
            "lexicon_M": "词中",
            "lexicon_E": "词尾",
            "lexicon_S": "独字词",
            "lm_forward": "正向语言模型",
            "lm_reverse": "反向语言模型",
            "characters": "字符",
            "shape": "词形",
            "prefix": "前缀",
            "suffix": "后缀",
        }
    ),
    overview="标签，以及门打开的程度",
    overview_note="→ 为正向，← 为反向。i、f、o：该方向 {units} 个单元的输入门、遗忘门、输出门的平均值，"
    "0 为关闭，1 为打开。",
    rival="对手",
    chance="概率",
    rnn_note="RNN 没有门，因此也没有记忆账本。",
    memory="记忆里有什么",
    memory_note="记忆单元恰好等于已读各词元贡献之和；这里列出所有单元合计后份额最大的几个。",
    holds="{direction}记忆",
    nothing_held="空",
    units="对标签最重要的单元",
    units_note="标签对对手的领先 = 所有单元的 w·h 之和，再加偏置；w 是该单元对标签的权重减去对对手的权重。"
    "每行都有 h = o·tanh(c)。",
    units_note_rnn="标签对对手的领先 = 所有单元的 w·h 之和，再加偏置；w 是该单元对标签的权重减去对对手的权重。",
    residual_note="这里的层带残差连接：h 还要加上 b，即下面一层在同一位置直接传上来的值，"
    "所以每个单元的贡献是 w·(h+b)。",
    carried="b",
    contribution_residual="w·(h+b)",
    spans="片段，以及恰好有此片段的概率：{spans}",
    lead="{number} {token}  {tag} 领先 {rival}：{lead}",
    trail="{number} {token}  {tag} 落后 {rival}：{lead}；由与前后标签之间的转移决定",
    weight="w",
    contribution="w·h",
    share_joint="  ",
)
