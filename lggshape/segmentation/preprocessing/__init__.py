"""From the image of a case to the input of a network."""
