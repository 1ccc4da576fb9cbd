"""Select sources, cut patches and list sets of fields for training and evaluation."""
