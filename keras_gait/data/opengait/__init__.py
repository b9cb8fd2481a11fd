"""OpenGait's data: six layouts, trees of pickles, and the way from raw poses and silhouettes to data sets.

A raw tree (`raw_trees`) becomes pickles of skeleton maps (`heatmaps`) and of silhouettes (`silhouettes`),
both side by side (`joined`), and at last a training and a test set (`sets`).
"""
