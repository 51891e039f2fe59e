"""Route 53: a hosted zone as a registry to write into, one multivalue record for each address."""
