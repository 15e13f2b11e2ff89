"""Wrong files: one sentence each, with file, key, expected, found and remedy."""

from __future__ import annotations

from importlib import resources

import pytest

from gatewise.errors import NetworkError
from gatewise.network import parse_network, read_network

ARTICLE = (resources.files("gatewise.network") / "examples" / "article.toml").read_text(encoding="utf-8")
FORGET = "forget    = { x = [[0, 100,    0]], h = [[ 10]] }"
CASES = {
    "unknown key": (
        ('title = { en = "', 'titel = { en = "'),
        "my.toml: titel: unknown key, expected one of name, kind, title, description, sentence, vectors, activations, "
        "layers, weights, tags; did you mean 'title'?",
    ),
    "unknown gate": (
        ("forget    =", "forgot    ="),
        "my.toml: layers[1].forward.forgot: unknown key, expected one of forget, input, candidate, output, start; "
        "did you mean 'forget'?",
    ),
    "kind": (
        ('kind = "lstm"', 'kind = "gru"'),
        "my.toml: kind: expected one of neuron, rnn, lstm, found the text 'gru'",
    ),
    "missing gate": (
        (FORGET, ""),
        "my.toml: layers[1].forward: expected the key 'forget', found input, candidate, output, start; add it, "
        "see docs/networks.md",
    ),
    "columns": (
        (FORGET, "forget = { x = [[0, 100]], h = [[10]] }"),
        "my.toml: layers[1].forward.forget.x: expected shape units × 3 (units × inputs), found 1 × 2; "
        "one row is one unit",
    ),
    "rows": (
        ("input     = { x = [[0,   0,  100]]", "input     = { x = [[0, 0, 100], [0, 0, 0]]"),
        "my.toml: layers[1].forward.input.x: expected shape 1 × 3 (units × inputs), found 2 × 3; one row is one unit",
    ),
    "plain list": (
        (FORGET, "forget = { x = [0, 100, 0], h = [[10]] }"),
        "my.toml: layers[1].forward.forget.x: expected shape units × 3 (units × inputs), found a plain list; "
        "put each unit's weights in a list of their own: [[…], […]]",
    ),
    "uneven rows": (
        (FORGET, "forget = { x = [[0, 100, 0], [0]], h = [[10]] }"),
        "my.toml: layers[1].forward.forget.x: expected shape units × 3 (units × inputs), found rows of 3, 1 numbers; "
        "one row is one unit",
    ),
    "number for matrix": (
        (FORGET, "forget = { x = [[0, 100, 0]], h = 10 }"),
        "my.toml: layers[1].forward.forget.h: expected shape 1 × 1 (units × units), found a number; write one list for "
        "each unit: [[…], […]]",
    ),
    "text for number": (
        (FORGET, 'forget = { x = [[0, "100", 0]], h = [[10]] }'),
        "my.toml: layers[1].forward.forget.x[1][2]: expected a number, found the text '100'",
    ),
    "boolean for number": (
        ('"我" = [2, -1, 1]', '"我" = [2, true, 1]'),
        "my.toml: vectors.我[2]: expected a number, found true or false",
    ),
    "infinite": (
        ('"我" = [2, -1, 1]', '"我" = [2, inf, 1]'),
        "my.toml: vectors.我[2]: expected a finite number, found inf; use a smaller one",
    ),
    "vector size": (
        ('"叫" = [3, 1, -1]', '"叫" = [3, 1]'),
        "my.toml: vectors.叫: expected 3 numbers, as many as '我' has, found 2",
    ),
    "token without vector": (
        ('sentence = ["我", "叫", "小", "明"]', 'sentence = ["我", "叫", "小", "红"]'),
        "my.toml: sentence[4]: token '红' has no vector; add it under [vectors]",
    ),
    "sentence as text": (
        ('sentence = ["我", "叫", "小", "明"]', 'sentence = "我叫小明"'),
        'my.toml: sentence: expected a list of texts, found the text \'我叫小明\'; write ["…", "…"]',
    ),
    "bias": (
        (FORGET, "forget = { x = [[0, 100, 0]], h = [[10]], bias = [1, 2] }"),
        "my.toml: layers[1].forward.forget.bias: expected 1 number, one a unit, found 2",
    ),
    "start": (
        ("start     = { h = [1], c = [1] }", "start     = { h = [1], c = [1, 2] }"),
        "my.toml: layers[1].forward.start.c: expected 1 number, one a unit, found 2",
    ),
    "activation": (
        ('gate = "step"', 'gate = "stop"'),
        "my.toml: activations.gate: expected one of sigmoid, step, found the text 'stop'; did you mean 'step'?",
    ),
    "tag size": (
        ("output = [2]", "output = [2, 0]"),
        "my.toml: tags[2].output: expected 1 number, one for each output of the last layer, found 2",
    ),
    "tag twice": (
        ('name = "动词"', 'name = "名词"'),
        "my.toml: tags[2].name: expected names that differ, found '名词' twice; rename one",
    ),
    "no layers": (
        ("[[layers]]\n[layers.forward]", "[layers.forward]"),
        "my.toml: layers: expected at least one layer, found a table; write [[layers]] and [layers.forward]",
    ),
    "gates of an rnn": (
        ('kind = "lstm"', 'kind = "rnn"'),
        "my.toml: layers[1].forward.forget: unknown key, expected one of x, h, bias, start",
    ),
    "broken TOML": (
        ('"小" = [2, 1, 1]', '"小" = [2, 1, 1'),
        "my.toml:20: expected TOML, found something else at column 1 (Unclosed array); "
        "look for a missing quote, bracket or comma",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_sentence(name):
    (old, new), sentence = CASES[name]
    assert ARTICLE.count(old) == 1
    with pytest.raises(NetworkError) as error:
        parse_network(ARTICLE.replace(old, new).encode(), "my.toml")
    assert str(error.value) == sentence


def test_a_file_that_ends_too_early():
    with pytest.raises(NetworkError, match=r"^my.toml:2: expected TOML, found something else"):
        parse_network(b'kind = "lstm"\nsentence = [', "my.toml")


def test_other_bytes_than_utf8():
    with pytest.raises(NetworkError, match=r"^my.toml:2: expected UTF-8, found other bytes; save the file as UTF-8"):
        parse_network(b"# a\n# \xff\n", "my.toml")


def test_a_byte_order_mark_and_windows_line_ends_are_read():
    data = b"\xef\xbb\xbf" + ARTICLE.replace("\n", "\r\n").encode()
    assert parse_network(data, "my.toml").run().outputs == [0, 2, 0, 0]


def test_names_that_are_nothing(tmp_path):
    with pytest.raises(NetworkError) as error:
        read_network("artcle")
    assert str(error.value) == (
        "artcle: expected a bundled network (article, bilstm, rnn) or a TOML file, found neither; "
        "did you mean 'article'?"
    )
    with pytest.raises(NetworkError, match="found neither; check the path"):
        read_network(tmp_path / "nothing.toml")
    with pytest.raises(NetworkError, match="expected a TOML file, found one that cannot be read"):
        read_network(tmp_path)


def test_a_copy_is_read_from_its_path(tmp_path):
    path = tmp_path / "copy.toml"
    path.write_text(ARTICLE.replace('name = "article"\n', ""), encoding="utf-8")
    network = read_network(path)
    assert network.name == "copy"
    assert network.run().outputs == [0, 2, 0, 0]


@pytest.mark.parametrize("value", ["1", '"x"', "[1]", "[[]]", "{}", "true", "[{}]", "1979-05-27", "[]", '""', "nan"])
@pytest.mark.parametrize(
    "key", ["name", "kind", "title", "description", "sentence", "vectors", "activations", "layers", "tags"]
)
def test_any_value_of_a_wrong_type_is_a_sentence_or_fine(key, value):
    base = {
        "kind": '"neuron"',
        "sentence": '["a"]',
        "vectors": "{ a = [1] }",
        "layers": "[{ forward = { x = [[1]] } }]",
    } | {key: value}
    source = "\n".join(f"{name} = {entry}" for name, entry in base.items())
    sentence = ""
    try:
        parse_network(source.encode(), "my.toml").run()
    except NetworkError as error:
        sentence = str(error)
    assert sentence == "" or sentence.startswith("my.toml: ")
