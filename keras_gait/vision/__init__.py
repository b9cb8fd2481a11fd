"""NumPy and OpenCV functions on frames; nothing here imports Keras."""
