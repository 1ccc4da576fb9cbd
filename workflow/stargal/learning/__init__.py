"""Networks, from their architecture to the catalogue of a field, in the order of the work.

============================================  =======================================================
`architectures`, `network_files`, `threads`   build a network, save and load it, compute on one thread
`auxiliary`, `mixture`, `augment`             further inputs, artificial patches, augmentation
`training_data`, `tasks`                      patches on disk, and what a network tells apart
`train`, `predict`, `experiment`              training, predictions, and both in one job
`explain`                                     which parts of a patch decide
`calibration`, `publish`                      calibrated probabilities, and the classifier with them
`published`, `apply`                          the classifier without Keras, and sources classified with it
`pixels`                                      the same for pixels of one's own
============================================  =======================================================
"""
