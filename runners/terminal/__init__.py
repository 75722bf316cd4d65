"""What a person sees and types: options, listings, progress, answers on a terminal. Needs no PyTorch."""
