"""Names that the tables of the replication share."""

ASD, OFFSETS = "angular_standard_deviation", "angular_standard_deviation_offset_averaged"
MF, BEVR = "margin_fluctuation", "bounding_ellipsoid_volume_ratio"

AUTOMATIC, MANUAL = "automatic", "manual"
EARLIER = "automatic, earlier run"

COMPARED = (ASD, OFFSETS, MF, BEVR, "volume")
"""The features that are compared between automatic and manual masks."""

BINS = 4
"""The study cuts features into quartiles."""
