"""The one Alembic history of the database, inside the package so that an installed wheel can migrate."""
