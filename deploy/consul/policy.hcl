# The rights of the syncer's token in Consul: what it reads it must see whole, and it writes on its own nodes only.
# Nodes and services that it cannot see would look like ones that are gone, so reads are unrestricted.

# The synthetic nodes that hold what comes from elsewhere (consul.node_prefix in the settings).
node_prefix "cloudmap-sync" {
  policy = "write"
}

node_prefix "" {
  policy = "read"
}

# Writing a service needs the right to its name. Where imported names carry a prefix (cloudmap_to_consul.prefix),
# write "read" here, and add: service_prefix "aws-" { policy = "write" }
service_prefix "" {
  policy = "write"
}

# The agent's version and limits.
agent_prefix "" {
  policy = "read"
}

# Leases: who of several replicas writes.
key_prefix "cloudmap-sync/" {
  policy = "write"
}

session_prefix "" {
  policy = "write"
}
