"""From images to masks by trained networks."""
