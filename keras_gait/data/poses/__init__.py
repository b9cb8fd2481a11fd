"""Published pose sequences (CASIA-B's CSV, OU-MVLP-Pose) to data sets of poses, and simulated ones."""
