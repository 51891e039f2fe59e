"""One Consul datacenter: read, watched and written through any of its agents or servers."""
