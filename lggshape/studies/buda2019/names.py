"""Names that the tables of the replication share."""

ASD, OFFSETS = "angular_standard_deviation", "angular_standard_deviation_offset_averaged"
MF, BEVR = "margin_fluctuation", "bounding_ellipsoid_volume_ratio"

AUTOMATIC, MANUAL = "automatic", "manual"
