"""Events -> Stories: the reports of one real-world event, gathered in one story."""
