"""The SQL of each migration, by what it is about; `store.schema` has their order."""
