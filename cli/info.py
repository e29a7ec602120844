"""`lggshape info`: what the installed package can do."""

from typing import Annotated, Any

import typer

from lggshape_cli import _options as o

EXAMPLES = ("lggshape info --json",)


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    debug: o.Debug = False,
) -> None:
    """List the features (definition, unit, source), the bundled networks, and the versions."""
    import json

    from lggshape.provenance import package_versions
    from lggshape.segmentation import SHIPPED
    from lggshape.shape import FEATURES

    card = json.loads((SHIPPED / "model_card.json").read_text(encoding="utf-8"))
    versions = package_versions()
    if as_json:
        features = [feature.to_dict() for feature in FEATURES.values()]
        content = {"versions": versions, "features": features, "networks": card}
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    for name, number in versions.items():
        typer.echo(f"{name} {number}")
    for feature in FEATURES.values():
        units = (feature.unit, feature.unit_without_spacing)
        unit = " or ".join(dict.fromkeys(filter(None, units)))
        use = "" if feature.in_default_family else "; exploratory: not tested by default"
        typer.echo(f"\n{feature.name} ({feature.dimension}; {unit}{use})")
        typer.echo(f"  {feature.definition}")
        typer.echo(f"  Source: {feature.source}")
    typer.echo(_networks(card))
    typer.echo(f"  Card: {SHIPPED / 'MODEL_CARD.md'}")


def _networks(card: dict[str, Any]) -> str:
    """Return what the bundled networks are, and their scores."""
    scores = card["scores"]["out_of_fold"]
    return (
        f"\nBundled networks: {card['name']}\n"
        f"  Task: {card['task']}.\n"
        f"  Out of fold, {scores['n']} patients: Dice mean {scores['mean_dice']}, "
        f"median {scores['median_dice']}.\n"
        f"  Licence: {card['licence']}."
    )
