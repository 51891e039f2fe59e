"""The main job, shown on this machine: a real Consul agent, an emulated Cloud Map, and real DNS questions."""
