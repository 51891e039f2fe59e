"""ECS as a source: running tasks with all their addresses, offered under one or more systems of names."""
