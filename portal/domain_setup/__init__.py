"""Custom domains on pages: set up by form, checked in the open, shown to who owns the DNS."""
