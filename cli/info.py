"""`lggshape info`: what the installed package can do."""

from typing import Annotated

import typer


def info(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """List the features with definition, unit and source, the networks that ship, the versions."""
    import json

    from lggshape.provenance import package_versions
    from lggshape.segmentation import SHIPPED
    from lggshape.shape import FEATURES

    card = json.loads((SHIPPED / "model_card.json").read_text(encoding="utf-8"))
    content = {
        "versions": package_versions(),
        "features": [feature.to_dict() for feature in FEATURES.values()],
        "networks": card,
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
    scores = card["scores"]["out_of_fold"]
    typer.echo(f"\nNetworks that ship: {card['name']}")
    typer.echo(f"  Task: {card['task']}.")
    typer.echo(
        f"  Out of fold, {scores['n']} patients: Dice mean {scores['mean_dice']}, "
        f"median {scores['median_dice']}."
    )
    typer.echo(f"  Licence: {card['licence']}.")
    typer.echo(f"  Card: {SHIPPED / 'MODEL_CARD.md'}")
