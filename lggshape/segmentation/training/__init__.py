"""Training by patient-level cross-validation."""
