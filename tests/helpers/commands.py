"""The commands of the command line, by name."""

from typer.main import get_command

from lggshape_cli import app

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
