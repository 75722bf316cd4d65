"""What a person sees: listings, progress, answers on a terminal."""
