"""Story -> Alerts: the rules file, its conditions, what may ring now, and what the rules would have rung for."""
