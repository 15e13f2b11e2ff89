"""Training, the only room that imports torch; everything else must work without it."""
