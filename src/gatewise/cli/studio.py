"""`gatewise studio`: the pages of networks and models, live in the browser of this machine."""

from __future__ import annotations

from urllib.parse import urlencode

import click

from gatewise.cli.options import lang_option
from gatewise.errors import ConfigError

PORT = 8424


@click.command()
@click.option("--network", metavar="NAME|FILE.toml", help="A network written by hand to begin with; default: article.")
@click.option("-m", "--model", metavar="NAME|DIR", help="A trained model to begin with.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes one that is free."
)
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@lang_option
def studio(network: str | None, model: str | None, port: int, no_browser: bool, lang: str) -> None:
    """Play with networks and ask trained models, live in the browser; on this machine alone, until Ctrl-C."""
    from gatewise.studio import Shelf, open_studio

    if network is not None and model is not None:
        raise ConfigError("expected --network or --model, found both; choose the other one in the studio")
    chosen = {"model": model} if model is not None else {"network": network or "article"}
    start = "/?" + urlencode(chosen | {"lang": lang})
    with open_studio(Shelf(network=network, model=model), port, start) as server:
        try:
            click.echo(f"gatewise studio: {server.address} (Ctrl-C ends it)")
            if not no_browser:
                open_browser(server.address)
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("gatewise studio: ended", err=True)


def open_browser(address: str) -> None:
    """Show the address in the reader's browser, or say that there is none."""
    import webbrowser

    if not webbrowser.open(address):
        click.echo("found no browser to open; open the address yourself", err=True)
