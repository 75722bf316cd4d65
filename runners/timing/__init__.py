"""How time is measured: the schedule, the warm-up, the clock, the step, and the state of the machine."""
