"""The account's things as texts: read, checked, compared, applied, written. One table of fields."""
