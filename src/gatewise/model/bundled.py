"""The models that come inside the package, and finding a model by what the user called it."""

from __future__ import annotations

from pathlib import Path

from gatewise.errors import ModelError

MODELS_FOLDER = Path(__file__).resolve().parent.parent / "models"


def bundled_models() -> dict[str, Path]:
    """Name → folder of each bundled model, in alphabetical order."""
    return {config.parent.name: config.parent for config in sorted(MODELS_FOLDER.glob("*/config.json"))}


def find_model(model: str | Path) -> Path:
    """The folder of a bundled model named `model`, or else the folder `model` itself.

    Raises ModelError when there is neither.
    """
    bundled = bundled_models()
    if isinstance(model, str) and model in bundled:
        return bundled[model]
    if not Path(model).exists():
        names = ", ".join(bundled) or "none"
        raise ModelError(f"{model}: expected a model folder or a bundled model ({names}), found nothing by that name")
    return Path(model)
