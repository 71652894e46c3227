"""Back up the database to one file while the app runs, and restore it.

`copies` has the two commands. `sqlite_copy` and `postgresql_dump` each know one database, and
`after_restore` what an older state must not do again.
"""
