"""What a model is: its configuration, its folder on disk, its card, its scores."""
