"""What holds for every test."""

import torch

# Small tensors on busy cores: a second thread waits more than it helps.
torch.set_num_threads(1)
