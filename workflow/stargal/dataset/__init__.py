"""Sources, patches and sets of fields: the input of training and evaluation."""
