"""What must last: SQL, and the only importer of SQLAlchemy."""
