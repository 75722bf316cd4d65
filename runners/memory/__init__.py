"""What a step needs in memory: simulated for any device, followed on real tensors, measured at the allocator.

- `metrics`: what is reported, as metrics (no torch needed).
- `settings`: what defines the step.
- `simulate`: the step on tensors without data, and the same step on real ones.
- `profile`: what came out, a value.
- `measure`: the device's own allocator.
"""
