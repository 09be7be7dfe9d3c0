"""Times on staff pages say which clock they are on; Django looks here by name."""

DATETIME_FORMAT = "j M Y, H:i e"
SHORT_DATETIME_FORMAT = "j M Y, H:i e"
DATE_FORMAT = "j F Y"  # readers see it; staff see times
TIME_FORMAT = "H:i"
