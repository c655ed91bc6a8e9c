"""The agent: measures a migration, decides, pages, rolls back and reports."""
