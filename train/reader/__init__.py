"""The reader: labels in, a trained model out."""
