"""One module per migration, the revision's number first in its name."""
