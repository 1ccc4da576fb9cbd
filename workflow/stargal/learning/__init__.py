"""Networks: architectures, augmentation, training, calibration, publishing and applying them."""
