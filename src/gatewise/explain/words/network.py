"""The sentences about hand-written networks; names in braces are filled in from the data of a run or a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkWords:
    """Headings, the legend, notes beside the formulas, and the sentences on why two runs part."""

    # the head
    kind: Mapping[str, str]
    layer_count: tuple[str, str]
    unit_count: tuple[str, str]
    feature_count: tuple[str, str]
    both_directions: str
    activations_lstm: str
    activation: str
    concatenation: str
    concatenation_neuron: str
    cell_equation: str
    gate_legend: Mapping[str, str]
    tags_legend: str
    rounding: str
    # headings
    overview: str
    written_out: str
    direction: str
    step: str
    concatenated: str
    input: str
    memory_before: str
    outputs: str
    tags: str
    result: str
    empty: str
    # a network of many units
    large: str
    mean_gates: str
    strongest: str
    chosen_units: str
    # notes beside the formulas
    kept: tuple[str, str, str]
    taken_in: tuple[str, str, str]
    put_out: tuple[str, str, str]
    note_joint: str
    # the comparison
    compare: str
    with_gates: Mapping[str, str]
    same: str
    part: str
    part_direction: str
    zero: Mapping[str, str]
    gate_differs: str
    more_gates: str
    memory_differs: str
    output_differs: str
    outcome: str
    outcome_tag: str
    list_joint: str

    def counted(self, forms: tuple[str, str], count: int) -> str:
        """The singular or the plural form with its count."""
        return forms[count != 1].format(count=count)


EN = NetworkWords(
    kind=MappingProxyType({"neuron": "neurons without recurrence", "rnn": "RNN", "lstm": "LSTM"}),
    layer_count=("{count} layer", "{count} layers"),
    unit_count=("{count} unit", "{count} units"),
    feature_count=("{count} feature", "{count} features"),
    both_directions="both directions",
    activations_lstm="gates: {gate} · candidate: {candidate} · output: {output}",
    activation="activation: {output}",
    concatenation="Every linear layer reads [x, h]: the vector x of the token, then the output h of the step before.",
    concatenation_neuron="Every neuron reads the vector x of the token, and nothing else.",
    cell_equation="Cₜ = fₜ·Cₜ₋₁ + iₜ·gₜ (memory kept + candidate taken in), then {output}.",
    gate_legend=MappingProxyType(
        {
            "step": "A step gate is 1 (open) where its sum is above 0, else 0 (closed).",
            "sigmoid": "A sigmoid gate σ(z) = 1/(1 + exp(-z)) lies between 0 (closed) and 1 (open).",
        }
    ),
    tags_legend="The tag is the one whose output is nearest: {tags}.",
    rounding="Numbers show at most 4 decimals. ≈0 is not 0, but too near to it for 4 decimals to show; likewise ≈1. "
    "--format json has every digit.",
    overview="Overview",
    written_out="Step by step",
    direction="Layer {layer}, {direction}",
    step="Step {t} · {token}",
    concatenated="[x, h] = {vector}",
    input="x = {vector}",
    memory_before="C before = {vector}",
    outputs="outputs",
    tags="tags",
    result="Result",
    empty="The sentence is empty: there is nothing to compute.",
    large="This network is too large to be written out whole. --units 1,5 writes out the units with these numbers; "
    "--format json has every number.",
    mean_gates="i, f, o: the mean of the input, forget and output gates over the {units} units, 0 closed, 1 open. "
    "The cell state is an exact sum over the tokens read so far; beside the gates stand the largest shares of it, over "
    "all units.",
    strongest="The units whose h is farthest from 0, three a token: h = o·tanh(C), C = f·(C before) + i·g.",
    chosen_units="Chosen units",
    kept=("memory not kept", "memory partly kept", "memory kept"),
    taken_in=("candidate left out", "candidate partly taken in", "candidate taken in"),
    put_out=("nothing put out", "memory partly put out", "memory put out"),
    note_joint=", ",
    compare="Step gates and sigmoid gates side by side",
    with_gates=MappingProxyType({"step": "step gates", "sigmoid": "sigmoid gates"}),
    same="Both kinds of gates give the same numbers here: every sum is so far from 0 that the sigmoid is 0 or 1.",
    part="The two runs part at step {t} ({token}).",
    part_direction="In layer {layer}, {direction}, the two runs part at step {t} ({token}).",
    zero=MappingProxyType(
        {
            "f": "The sum of the {gate} is exactly 0 there. A step gate counts 0 as closed and gives {step}: "
            "none of the memory is kept. The sigmoid of 0 is {sigmoid}: half of the memory is kept.",
            "i": "The sum of the {gate} is exactly 0 there. A step gate counts 0 as closed and gives {step}: "
            "the candidate is left out. The sigmoid of 0 is {sigmoid}: half of the candidate is taken in.",
            "o": "The sum of the {gate} is exactly 0 there. A step gate counts 0 as closed and gives {step}: "
            "nothing is put out. The sigmoid of 0 is {sigmoid}: half of the memory is put out.",
        }
    ),
    gate_differs="The sum of the {gate} is {pre}: a step gate gives {step}, the sigmoid {sigmoid}.",
    more_gates="(It is the widest gap; {count} more gates differ at this step.)",
    memory_differs="So the memory becomes {step} with step gates, and {sigmoid} with sigmoid gates.",
    output_differs="The output becomes {step} with step gates, and {sigmoid} with sigmoid gates.",
    outcome="In the end the outputs differ at {tokens}.",
    outcome_tag="The tag of {token} (step {t}) turns from {step} into {sigmoid}.",
    list_joint=", ",
)

ZH = NetworkWords(
    kind=MappingProxyType({"neuron": "没有循环的神经元", "rnn": "RNN", "lstm": "LSTM"}),
    layer_count=("{count} 层", "{count} 层"),
    unit_count=("{count} 个单元", "{count} 个单元"),
    feature_count=("{count} 个特征", "{count} 个特征"),
    both_directions="双向",
    activations_lstm="门：{gate} · 候选值：{candidate} · 输出：{output}",
    activation="激活函数：{output}",
    concatenation="每个线性层读入拼接后的 [x, h]：先是本步的向量 x，后是上一步的输出 h。",
    concatenation_neuron="每个神经元只读入本步的向量 x。",
    cell_equation="Cₜ = fₜ·Cₜ₋₁ + iₜ·gₜ（记忆保留的部分 + 候选值写入的部分），然后 {output}。",
    gate_legend=MappingProxyType(
        {
            "step": "阶跃门：线性层结果大于 0 时为 1（打开），否则为 0（关闭）。",
            "sigmoid": "σ 门：σ(z) = 1/(1 + exp(-z))，介于 0（关闭）与 1（打开）之间。",
        }
    ),
    tags_legend="输出离哪个标签的向量最近，就取哪个标签：{tags}。",
    rounding="数字最多显示四位小数。≈0 不是 0，只是与 0 相差太小，四位小数显示不出；≈1 同理。"
    "--format json 给出全部数位。",
    overview="总览",
    written_out="逐步计算",
    direction="第 {layer} 层，{direction}",
    step="第 {t} 步 · {token}",
    concatenated="拼接 [x, h] = {vector}",
    input="x = {vector}",
    memory_before="之前的记忆 C = {vector}",
    outputs="输出",
    tags="标签",
    result="结果",
    empty="句子为空，没有可计算的内容。",
    large="这个网络太大，无法全部写出。--units 1,5 写出这些编号的单元；--format json 给出每一个数。",
    mean_gates="i、f、o：{units} 个单元的输入门、遗忘门、输出门的平均值，0 为关闭，1 为打开。"
    "记忆单元恰好等于已读各词元贡献之和；门的旁边列出所有单元合计后份额最大的几个。",
    strongest="h 离 0 最远的单元，每个词元三个：h = o·tanh(C)，C = f·(之前的 C) + i·g。",
    chosen_units="选出的单元",
    kept=("记忆不保留", "记忆部分保留", "记忆保留"),
    taken_in=("候选值不写入", "候选值部分写入", "候选值写入"),
    put_out=("不输出", "记忆部分输出", "记忆输出"),
    note_joint="，",
    compare="阶跃门与 σ 门对照",
    with_gates=MappingProxyType({"step": "阶跃门", "sigmoid": "σ 门"}),
    same="两种门在这里给出相同的数：每个线性层结果都离 0 很远，σ 的值就是 0 或 1。",
    part="两次运行从第 {t} 步（{token}）开始不同。",
    part_direction="在第 {layer} 层（{direction}），两次运行从第 {t} 步（{token}）开始不同。",
    zero=MappingProxyType(
        {
            "f": "此处{gate} 的线性层结果恰好是 0。阶跃门把 0 当作关闭，取 {step}：记忆完全不保留；"
            "而 σ(0) 等于 {sigmoid}：记忆保留一半。",
            "i": "此处{gate} 的线性层结果恰好是 0。阶跃门把 0 当作关闭，取 {step}：候选值不写入；"
            "而 σ(0) 等于 {sigmoid}：候选值写入一半。",
            "o": "此处{gate} 的线性层结果恰好是 0。阶跃门把 0 当作关闭，取 {step}：什么也不输出；"
            "而 σ(0) 等于 {sigmoid}：记忆输出一半。",
        }
    ),
    gate_differs="此处{gate} 的线性层结果是 {pre}：阶跃门取 {step}，σ 门取 {sigmoid}。",
    more_gates="（这是差别最大的一个门；这一步还有 {count} 个门不同。）",
    memory_differs="于是记忆单元更新为：阶跃门 {step}；σ 门 {sigmoid}。",
    output_differs="输出为：阶跃门 {step}；σ 门 {sigmoid}。",
    outcome="最终，输出不同的词元是：{tokens}。",
    outcome_tag="“{token}”（第 {t} 步）的标签由{step}变为{sigmoid}。",
    list_joint="、",
)
