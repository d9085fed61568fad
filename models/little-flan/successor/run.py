"""What a run of the generator is for."""

SPLIT = 'train'  # or test
FRAC = 0.0  # how far the training has come, 0 to 1: copying is taught in the first two thirds
