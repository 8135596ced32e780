"""Ways in and out, people of an account, and what belongs to a person alone."""
