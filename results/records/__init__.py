"""What a run directory holds, typed: the study, the records, the environments, imported benchmarks.

Everything that is read is checked where it is read (`files.parse`), so that what is computed from it needs
no second thought. The first step of the flow; it imports no other.
"""
