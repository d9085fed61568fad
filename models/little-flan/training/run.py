"""What a run of the generator is for."""

SPLIT = 'train'  # or test
PLAN = []  # the numbers and operations of the last word problem, in order
FRAC = 1.0  # how far the training has come, 0 to 1: plain and short things first


def noise():
    """How much of the misspellings and leads is there already."""
    return 0.2 if FRAC < 0.15 else 1
