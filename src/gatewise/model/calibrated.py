"""A temperature, put into a model folder that is there.

In: the folder, the temperature and the card that tells of it. Out: the same folder with two files replaced, each whole;
the weights, and so the tags, stay as they are.
"""

from __future__ import annotations

import json
from pathlib import Path

from gatewise.errors import FormatError, ModelError
from gatewise.formats.target import appearing
from gatewise.model.archive_files import CARD_FILE, CONFIG_FILE, TEMPERATURE_KEY


def store_temperature(folder: str | Path, temperature: float, card: str) -> None:
    """Replace the temperature in `config.json`, and the card; at 1 no temperature is stored.

    `folder` is a model that can be opened. Both files are on the disk before either takes its place, the configuration
    first, so that a card never tells of a temperature that the model does not have.
    Raises ModelError where they cannot be written.
    """
    config, readme = Path(folder) / CONFIG_FILE, Path(folder) / CARD_FILE
    try:
        description = json.loads(config.read_bytes())
        description.pop(TEMPERATURE_KEY, None)
        if temperature != 1:
            description[TEMPERATURE_KEY] = temperature
        with appearing(readme) as card_stream:
            card_stream.write(card.encode())
            with appearing(config) as stream:
                stream.write((json.dumps(description, ensure_ascii=False, indent=1) + "\n").encode())
    except FormatError as error:
        raise ModelError(str(error)) from error
