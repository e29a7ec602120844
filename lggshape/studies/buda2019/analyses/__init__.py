"""What each step of the replication computes: tables in, tables out."""
