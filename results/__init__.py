"""What was found: records, tidy frames, effects with intervals and verdicts, figures, reports.

Never imports torch, `ablations` or `runners`: a run directory is analysed wherever pandas runs.
"""
