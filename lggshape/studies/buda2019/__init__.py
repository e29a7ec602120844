"""The replication of Buda et al. 2019: what its results hang on, and why others failed at it."""
