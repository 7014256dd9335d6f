"""Projects: which functions a folder declares, in whichever kind of template."""
