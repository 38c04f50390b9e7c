"""What `export.serve` is made of: TF Serving's interface in front of Ray Serve's replicas.

gRPC or REST ─ checks ─► queue ─► a replica's session ─► gRPC or REST
"""
