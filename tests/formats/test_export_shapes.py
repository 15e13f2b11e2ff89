"""Records in the shapes that the tools' own export code writes: invented texts, all fields the tools put in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatewise.errors import FormatError
from gatewise.formats import Alignment, detect_format, locate_sentences, read_sentences

TAGS = ("B-PER", "I-PER", "O", "O")


def read(path: Path) -> tuple[list[tuple[str, tuple[str, ...] | None]], list[str]]:
    said: list[str] = []
    found = read_sentences(path, alignment=Alignment(notify=said.append))
    return [(sentence.text, sentence.tags) for sentence in found], [one.removeprefix(f"{path}: ") for one in said]


def lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def minimal(number: int, text: str, *regions: Any, annotation: int | None = 7, **more: Any) -> dict[str, Any]:
    """A record as Label Studio's `convert_to_json_min` makes it: the task's data, then about one annotation."""
    about = {
        "annotator": 1,
        "annotation_id": annotation,
        "created_at": "2024-05-01T08:00:00Z",
        "updated_at": "2024-05-01",
    }
    return (
        {"text": text, "id": number} | ({"label": list(regions)} if regions else {}) | about | {"lead_time": 3.5} | more
    )


PER = {"start": 0, "end": 2, "text": "小明", "labels": ["PER"]}


def test_json_min_of_label_studio(tmp_path: Path) -> None:
    records = [
        minimal(1, "北京很大"),  # annotated, without a region: its first record does not tell the format by its spans
        minimal(2, "小明来了", PER, sentiment="good"),
        minimal(3, "谁也没看", annotation=None),  # of an export of all tasks
        minimal(4, "小明来了", PER, annotation=8),
        minimal(4, "小明来了", PER, annotation=9),
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records, ensure_ascii=False, indent=2), encoding="utf-8")
    assert detect_format(path) == "label-studio"
    found, said = read(path)
    assert found == [("北京很大", ("O",) * 4), ("小明来了", TAGS), ("小明来了", TAGS)]
    assert said == [
        "1 tasks without an annotation, or with a canceled one, left out",
        "1 annotations that say of a task what the one before says, left out",
    ]
    records[-1]["label"] = [PER | {"labels": ["ORG"]}]
    path.write_text(json.dumps(records), encoding="utf-8")
    with pytest.raises(
        FormatError, match=r"expected one annotation of the task 4, found another that differs from the"
    ):
        read(path)


def test_regions_with_a_note_of_label_studio(tmp_path: Path) -> None:
    """A text area or a choice for one region is a result of its own, with the region's place; its `text` is a list."""
    place = {"start": 0, "end": 2}
    same = {"id": "x1", "from_name": "note", "to_name": "text", "origin": "manual"}
    results = [
        same | {"type": "labels", "value": PER},
        same | {"type": "textarea", "value": place | {"text": ["a note"]}},
        same | {"type": "choices", "value": place | {"text": "小明", "choices": ["sure"]}},
        {"from_id": "x1", "to_id": "x2", "type": "relation", "direction": "right", "labels": []},
    ]
    annotation = {"id": 1, "completed_by": 1, "was_cancelled": False, "ground_truth": False, "result": results}
    task = {
        "id": 1,
        "data": {"text": "小明来了"},
        "annotations": [annotation],
        "predictions": [],
        "file_upload": "a.txt",
    }
    skipped = task | {"annotations": [{"result": [], "skipped": True}]}
    path = lines(tmp_path / "a.json", [task, skipped])
    found, said = read(path)
    assert found == [("小明来了", TAGS)]
    assert said == [
        '1 results of the type "relation", which are no spans, left out',
        "2 regions without a label, left out",
        "1 tasks without an annotation, or with a canceled one, left out",
    ]


def test_exports_of_doccano(tmp_path: Path) -> None:
    spans = {"id": 1, "text": "小明来了", "source": "mine", "label": [[0, 2, "PER"]], "Comments": []}
    entity = {"id": 3, "label": "PER", "start_offset": 0, "end_offset": 2}
    relation = {"id": 5, "from_id": 3, "to_id": 4, "type": "knows"}
    related = {"id": 2, "text": "小明来了", "entities": [entity], "relations": [relation], "Comments": [{"text": "?"}]}
    slots = {"id": 3, "text": "小明来了", "cats": ["arrive"], "entities": [[0, 2, "PER"]], "Comments": []}
    old = {"id": 4, "text": "小明来了", "annotation_approver": None, "labels": [[0, 2, "PER"]], "meta": {}}
    for record in (spans, related, slots, old):
        assert detect_format(lines(tmp_path / "one.jsonl", record)) == "doccano"
    found, said = read(lines(tmp_path / "a.jsonl", spans, related, slots, old))
    assert found == [("小明来了", TAGS)] * 4
    assert said == [
        "1 records with relations, which tags cannot hold; the relations are left out",
        "1 records with comments, which tags cannot hold; the comments are left out",
        "1 records with categories, which tags cannot hold; the categories are left out",
    ]


@pytest.mark.parametrize("with_white_space", [True, False])  # `ws` came later
def test_exports_of_prodigy(tmp_path: Path, with_white_space: bool) -> None:
    tokens = [{"text": c, "start": i, "end": i + 1, "id": i} for i, c in enumerate("小明来了")]
    if with_white_space:
        tokens = [token | {"ws": False} for token in tokens]
    place = {"start": 0, "end": 2, "token_start": 0, "token_end": 1, "label": "PER"}
    about = {
        "meta": {"section": "x"},
        "_input_hash": -9,
        "_task_hash": 8,
        "_session_id": None,
        "_view_id": "ner_manual",
    }
    record = {"text": "小明来了", "tokens": tokens, "spans": [place | {"source": "model", "input_hash": 1}]} | about
    empty = {"text": "好", "tokens": [{"text": "好", "start": 0, "end": 1, "id": 0}], "spans": []} | about
    path = lines(tmp_path / "a.jsonl", record | {"answer": "accept"}, empty | {"answer": "accept"})
    assert detect_format(path) == "prodigy"
    assert read(path) == ([("小明来了", TAGS), ("好", ("O",))], [])


def test_objects_over_several_lines(tmp_path: Path) -> None:
    """A public copy of CLUENER has its objects so, one after the other without commas."""
    record = {"text": "小明来了", "label": {"PER": {"小明": [[0, 1]]}}}
    one = json.dumps(record, ensure_ascii=False, indent=2)
    path = tmp_path / "a.json"
    path.write_text(f"\n{one}\n{one}\n\n{one}", encoding="utf-8")
    assert detect_format(path) == "cluener"
    assert read(path) == ([("小明来了", TAGS)] * 3, [])
    height = one.count("\n") + 1
    assert [located.lines[0] for located in locate_sentences(path)] == [2, 2 + height, 3 + 2 * height]
    path.write_text(f"{one}\n{one[:-4]}", encoding="utf-8")
    with pytest.raises(FormatError, match=rf"a\.json:{1 + height}: expected a JSON object, found broken JSON"):
        read(path)
    path.write_text(f"{one},\n{one}", encoding="utf-8")
    with pytest.raises(FormatError, match=rf'a\.json:{height}: expected a JSON object, found ",'):
        read(path)
