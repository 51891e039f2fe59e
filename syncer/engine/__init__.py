"""When things happen: hints, debounce, passes, back-off, holds, shutdown."""
