"""`lggshape info`: what the installed package can do."""

from typing import Annotated

import typer


def info(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """List the features with definition, unit and source, and the versions."""
    import json
    from dataclasses import asdict

    from lggshape.provenance import package_versions
    from lggshape.shape import FEATURES

    content = {
        "versions": package_versions(),
        "features": [asdict(feature) for feature in FEATURES.values()],
    }
    if as_json:
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    for name, number in package_versions().items():
        typer.echo(f"{name} {number}")
    for feature in FEATURES.values():
        unit = " or ".join(
            dict.fromkeys(filter(None, (feature.unit, feature.unit_without_spacing)))
        )
        typer.echo(f"\n{feature.name} ({feature.dimension}; {unit})")
        typer.echo(f"  {feature.definition}")
        typer.echo(f"  Source: {feature.source}")
