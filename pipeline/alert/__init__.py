"""Story -> Alerts: the rules file, its conditions, throttle and digest, feedback, and a backtest of the rules."""
