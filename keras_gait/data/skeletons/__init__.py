"""Data sets of 3-D skeletons: sequences of a few frames, joints in a depth camera's coordinates."""
