"""docs/bulk.md: the fields it names exist. Its Python runs in test_bulk_on_ray.py, where there is a cluster."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gatewise.bulk import Job

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "bulk.md"

pytestmark = pytest.mark.source


def test_its_fields_exist() -> None:
    rows = re.findall(r"^\| (`.*?) \|", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)} - {"Job"}
    assert len(named) == 7
    assert named <= {field.name for field in fields(Job)}
