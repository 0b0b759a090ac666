"""Events -> Stories: the reports of one happening, folded together."""
