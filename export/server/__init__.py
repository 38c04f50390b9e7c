"""TF Serving's interface in front of Ray Serve's replicas, and a client of it.

gRPC or REST ─ checks ─► queue ─► a replica's session ─► gRPC or REST
"""
