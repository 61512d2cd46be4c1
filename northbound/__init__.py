"""Intent in SQL: models, services, the revision log and address management."""
