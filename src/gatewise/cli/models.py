"""`gatewise models`: the bundled models and their cards."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the bundled models; with NAME (or a model folder), print its card."""
    from gatewise.model.archive import open_model
    from gatewise.model.bundled import bundled_models, find_model

    if name is not None:
        click.echo(open_model(find_model(name)).card, nl=False)
        return
    for bundled, folder in bundled_models().items():
        archive = open_model(folder)
        size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        kinds = ", ".join(
            [archive.config.task.kind, *(f"{name}: {head.task.kind}" for name, head in archive.heads.items())]
        )
        click.echo(f"{bundled}\t{kinds}\t{size / 1e6:.1f} MB\t{archive.config.card.description}")
