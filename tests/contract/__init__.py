"""What every registry, writer and watch must do alike: the fake in memory and the real ones."""
